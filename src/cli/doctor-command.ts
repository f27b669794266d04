/** Owns `claimgate doctor`: a check-up of everything that a server needs. */
import type { Command } from 'commander';

import type { CliContext } from './cli-context.ts';
import { CommandFailure } from './cli-errors.ts';
import { ANSWER_IS_NO } from './exit-codes.ts';
import { formatCount, makePrintable } from './format-value.ts';
import { parseLimit } from './option-values.ts';
import { addPrintOptions, write } from './print.ts';
import type { PrintOptions } from './print.ts';
import { runOperation, STORE_HELP } from './run-operation.ts';

/** Issuers that are asked unless told otherwise. */
const ISSUERS = 20;

interface DoctorOptions extends PrintOptions {
  readonly offline?: boolean;
  readonly issuers?: number;
}

export function addDoctorCommand(program: Command, context: CliContext): void {
  const command = program
    .command('doctor')
    .summary('find what is wrong with the set-up')
    .description(
      'Looks at the configuration, TLS files, port, store, keys, clocks, DNS, public URL and issuers, and says what to do about each.',
    )
    .option('--offline', 'ask neither DNS nor the public URL nor identity providers')
    .option(
      '--issuers <count>',
      `ask so many identity providers, those with the most configurations first (${ISSUERS})`,
      parseLimit,
    );
  addPrintOptions(command)
    .addHelpText(
      'after',
      `${STORE_HELP}

It may run while servers do, and changes nothing of what they have stored. Ends with 7 when a check
fails; warnings do not count. Identity providers are asked as logins ask them, without a client
secret: "claimgate sso check" also tries the secret of one configuration.

Examples:
  $ claimgate doctor
  $ claimgate doctor --offline --json`,
    )
    .action(async (options: DoctorOptions) => {
      const isJson = options.json === true;
      const given = { offline: options.offline === true, issuers: options.issuers ?? ISSUERS };
      const findings = await runOperation(({ diagnose }) =>
        diagnose(context.env, given, (finding) => {
          if (!isJson) context.stdout.write(formatFinding(finding));
        }),
      );
      const failed = findings.filter(({ outcome }) => outcome === 'failed').length;
      const warnings = findings.filter(({ outcome }) => outcome === 'warning').length;
      await write(
        context,
        isJson
          ? `${JSON.stringify({ failed, warnings, findings }, null, 2)}\n`
          : `${formatCount(findings.length, 'check')}: ${failed} failed, ${formatCount(warnings, 'warning')}.\n`,
      );
      if (failed > 0) throw new CommandFailure(ANSWER_IS_NO, '');
    });
}

function formatFinding(finding: {
  readonly check: string;
  readonly outcome: string;
  readonly seen: string;
  readonly advice: string;
}): string {
  const { check, outcome, seen, advice } = finding;
  const lines = [
    `${outcome.padEnd(8)} ${check}: ${seen}`,
    ...(advice === '' ? [] : [`         ${advice}`]),
  ];
  return lines.map((line) => `${makePrintable(line)}\n`).join('');
}
