/** Owns `claimgate sso test-login`: the URL of a login that signs nobody in. */
import type { Command } from 'commander';

import { StartTestLoginResponseSchema } from '../../gen/claimgate/v1/sso_configuration_pb.ts';
import type { CliContext } from './cli-context.ts';
import {
  addConnectionOptions,
  addOrganizationOption,
  connect,
  CONNECTION_HELP,
} from './connection.ts';
import type { ConnectionOptions } from './connection.ts';
import { formatText } from './format-value.ts';
import { addPrintOptions, printJson, write } from './print.ts';
import type { PrintOptions } from './print.ts';
import { addDraftOptions, readTrial } from './sso-draft-input.ts';
import type { DraftOptions } from './sso-draft-input.ts';

type TestLoginOptions = ConnectionOptions & PrintOptions & DraftOptions;

export function addSsoTestLoginCommand(sso: Command, context: CliContext): void {
  const command = sso
    .command('test-login [id]')
    .description(
      'Prints the URL of a test login: a real login that makes no member and no session, and ends in a report.',
    );
  addConnectionOptions(addPrintOptions(addOrganizationOption(addDraftOptions(command))))
    .addHelpText(
      'after',
      `${CONNECTION_HELP}

Open the URL in a browser, within 10 minutes. It works once. The page at its end shows the claims
that came, so give the URL to nobody else.

Examples:
  $ claimgate sso test-login $ID
  $ claimgate sso test-login $ID --claims-expression '"staff" in claims.groups'`,
    )
    .action(async (id: string | undefined, options: TestLoginOptions) => {
      const client = await connect(context, options);
      const request = await readTrial(context, client, id, options);
      const started = await client.ssoConfigurations.startTestLogin(request);
      if (options.json === true) {
        await printJson(context, StartTestLoginResponseSchema, started);
        return;
      }
      await write(context, `${formatText(started.url)}\n`);
    });
}
