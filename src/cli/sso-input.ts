/** Owns how `sso create` and `sso update` take a client secret and a claims expression: the long and the secret ones. */
import { Option } from 'commander';
import type { Command } from 'commander';

import type { CliContext } from './cli-context.ts';
import { parseExpression, refuseOnCommandLine } from './option-values.ts';

export interface SsoInputOptions {
  readonly clientSecretFile?: string;
  readonly claimsExpression?: string;
  readonly claimsExpressionFile?: string;
}

export function addSsoInputOptions(command: Command): Command {
  const withSecret = command
    .option(
      '--client-secret-file <file>',
      'file that holds the client secret, - for standard input',
    )
    .addOption(
      refuseOnCommandLine(
        '--client-secret',
        'A secret on the command line can be read by others on this machine. Put it into a file that --client-secret-file names, or pipe it in with --client-secret-file -.',
      ),
    );
  return addClaimsExpressionOptions(withSecret);
}

export function addClaimsExpressionOptions(command: Command): Command {
  return command
    .option(
      '--claims-expression <cel>',
      'CEL rule over claims that must be true to let a person in',
      parseExpression,
    )
    .addOption(
      new Option(
        '--claims-expression-file <file>',
        'file that holds the CEL rule, - for standard input',
      ).conflicts('claimsExpression'),
    );
}

export async function readClientSecret(
  context: CliContext,
  options: SsoInputOptions,
): Promise<string | undefined> {
  if (options.clientSecretFile === undefined) return undefined;
  return context.readInput(options.clientSecretFile, 'client secret');
}

export async function readClaimsExpression(
  context: CliContext,
  options: SsoInputOptions,
): Promise<string | undefined> {
  if (options.claimsExpressionFile === undefined) return options.claimsExpression;
  return context.readInput(options.claimsExpressionFile, 'claims expression');
}
