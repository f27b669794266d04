/** Owns `claimgate sso evaluate`: a rule and a mapping on sample claims, without a server. */
import type { Command } from 'commander';

import { EvaluateClaimsResponseSchema } from '../../gen/claimgate/v1/sso_configuration_pb.ts';
import type { EvaluateClaimsResponse } from '../../gen/claimgate/v1/sso_configuration_pb.ts';
import type { CliContext } from './cli-context.ts';
import { CommandFailure, UsageError } from './cli-errors.ts';
import { ANSWER_IS_NO, REFUSED } from './exit-codes.ts';
import { formatAttributes, formatExpressionError, formatVerdict } from './format-explanation.ts';
import { collectClaims } from './option-values.ts';
import { addPrintOptions, printJson, write } from './print.ts';
import type { PrintOptions } from './print.ts';
import { addClaimsExpressionOptions, readClaimsExpression } from './sso-input.ts';
import type { SsoInputOptions } from './sso-input.ts';

interface EvaluateOptions extends PrintOptions, SsoInputOptions {
  readonly claimsFile: string;
  readonly claim?: Record<string, string>;
}

export function addSsoEvaluateCommand(sso: Command, context: CliContext): void {
  const command = sso
    .command('evaluate')
    .description(
      'Asks a CEL rule about sample claims, and says why it refuses. Needs neither server nor token.',
    )
    .requiredOption(
      '--claims-file <file>',
      'file that holds the claims as a JSON object, - for standard input (required)',
    )
    .option(
      '--claim <attribute=claim>',
      'maps our email, name, picture or groups to a claim; may be repeated',
      collectClaims,
    );
  addPrintOptions(addClaimsExpressionOptions(command))
    .addHelpText(
      'after',
      `
Ends with 0 when the rule lets in, 7 when it refuses, and 5 when it cannot be used.

Examples:
  $ claimgate sso evaluate --claims-file alice.json --claims-expression-file rule.cel
  $ echo '{"email": "a@example.com"}' | claimgate sso evaluate --claims-file - \\
      --claims-expression 'claims.email.endsWith("@example.com")'`,
    )
    .action(async (options: EvaluateOptions) => {
      const expression = await readClaimsExpression(context, options);
      if (expression === undefined) {
        throw new UsageError('Name the rule with --claims-expression or --claims-expression-file.');
      }
      const claimsJson = await context.readInput(options.claimsFile, 'claims');
      // The other commands start faster without the evaluator.
      const { evaluateOffline } = await import('../evaluate-offline.ts');
      const answer = evaluateOffline({ expression, mapping: options.claim ?? {}, claimsJson });
      await print(context, options, answer);
      const exitCode = chooseVerdictCode(answer);
      if (exitCode !== 0) throw new CommandFailure(exitCode, '');
    });
}

function chooseVerdictCode({ verdict, expressionError }: EvaluateClaimsResponse): number {
  if (expressionError !== undefined) return REFUSED;
  return verdict?.allowed === true ? 0 : ANSWER_IS_NO;
}

async function print(
  context: CliContext,
  options: PrintOptions,
  answer: EvaluateClaimsResponse,
): Promise<void> {
  if (options.json === true) return printJson(context, EvaluateClaimsResponseSchema, answer);
  const { verdict, explanation, attributes, expressionError } = answer;
  const lines = [
    ...(expressionError === undefined ? [] : [formatExpressionError(expressionError)]),
    ...(verdict === undefined ? [] : formatVerdict(verdict, explanation)),
    ...(attributes === undefined ? [] : ['', ...formatAttributes(attributes)]),
  ];
  return write(context, `${lines.join('\n')}\n`);
}
