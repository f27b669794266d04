/** Owns `claimgate sso check`: the report on a configuration before anybody signs in through it. */
import type { Command } from 'commander';

import {
  CheckOutcome,
  CheckOutcomeSchema,
  CheckSSOConfigurationResponseSchema,
} from '../../gen/claimgate/v1/sso_configuration_pb.ts';
import type {
  CheckSSOConfigurationResponse,
  CheckStage,
} from '../../gen/claimgate/v1/sso_configuration_pb.ts';
import type { CliContext } from './cli-context.ts';
import { CommandFailure } from './cli-errors.ts';
import {
  addConnectionOptions,
  addOrganizationOption,
  connect,
  CONNECTION_HELP,
} from './connection.ts';
import type { ConnectionOptions } from './connection.ts';
import { ANSWER_IS_NO } from './exit-codes.ts';
import { formatEnum, formatText, makePrintable } from './format-value.ts';
import { addPrintOptions, printJson, write } from './print.ts';
import type { PrintOptions } from './print.ts';
import { addDraftOptions, readTrial } from './sso-draft-input.ts';
import type { DraftOptions } from './sso-draft-input.ts';

/** Three requests of 10 seconds each, and some, in seconds. */
const CHECK_TIMEOUT = 40;

type CheckOptions = ConnectionOptions & PrintOptions & DraftOptions;

export function addSsoCheckCommand(sso: Command, context: CliContext): void {
  const command = sso
    .command('check [id]')
    .description(
      'Checks a configuration against its identity provider: a stored one, one with changes, or a new one.',
    );
  addConnectionOptions(addPrintOptions(addOrganizationOption(addDraftOptions(command))))
    .addHelpText(
      'after',
      `${CONNECTION_HELP}

Ends with 7 when a stage fails. The stored client secret is used only while issuer and client id
are those that it was stored with. It waits at least ${CHECK_TIMEOUT} s.

Examples:
  $ claimgate sso check $ID
  $ claimgate sso check $ID --scope groups --claims-expression '"staff" in claims.groups'
  $ claimgate sso check --issuer-url https://idp.example.com --client-id claimgate \\
      --client-secret-file ./secret`,
    )
    .action(async (id: string | undefined, options: CheckOptions) => {
      const client = await connect(context, options);
      const request = await readTrial(context, client, id, options);
      const timeoutMs = Math.max(options.timeout ?? 0, CHECK_TIMEOUT) * 1000;
      const report = await client.ssoConfigurations.checkSSOConfiguration(request, { timeoutMs });
      await print(context, options, report);
      if (report.stages.some(({ outcome }) => outcome === CheckOutcome.FAILED)) {
        throw new CommandFailure(ANSWER_IS_NO, '');
      }
    });
}

async function print(
  context: CliContext,
  options: PrintOptions,
  report: CheckSSOConfigurationResponse,
): Promise<void> {
  if (options.json === true) {
    return printJson(context, CheckSSOConfigurationResponseSchema, report);
  }
  const lines = report.stages.flatMap(formatStage);
  return write(context, `${lines.join('\n')}\n`);
}

function formatStage({ name, outcome, seen, advice }: CheckStage): readonly string[] {
  const heading = `${formatEnum(CheckOutcomeSchema, outcome).padEnd(8)} ${formatText(name).padEnd(22)}`;
  const line = `${heading} ${makePrintable(seen)}`;
  return advice === '' ? [line] : [line, `${' '.repeat(32)}${makePrintable(advice)}`];
}
