/** Owns `claimgate login`: where a person signs in, and what became of tries to. */
import { Option } from 'commander';
import type { Command } from 'commander';

import { listAll } from '../client/node.ts';
import {
  LoginAttemptSchema,
  LoginOutcome,
  LoginOutcomeSchema,
} from '../../gen/claimgate/v1/login_attempt_pb.ts';
import type { LoginAttempt } from '../../gen/claimgate/v1/login_attempt_pb.ts';
import { GetSSOLoginURLResponseSchema } from '../../gen/gitpod/v1/account_pb.ts';
import type { CliContext } from './cli-context.ts';
import {
  addConnectionOptions,
  addOrganizationOption,
  addServerOptions,
  chooseOrganization,
  connect,
  connectWithoutToken,
  CONNECTION_HELP,
  SERVER_HELP,
} from './connection.ts';
import type { ConnectionOptions, ServerOptions } from './connection.ts';
import { formatExplanation } from './format-explanation.ts';
import { formatEnum, formatText, formatTime } from './format-value.ts';
import {
  addListOptions,
  addLongOption,
  addPrintOptions,
  printJson,
  printList,
  write,
} from './print.ts';
import type { Column, LongListOptions, PrintOptions } from './print.ts';

const COLUMNS: readonly Column<LoginAttempt>[] = [
  { title: 'Time', read: ({ endedAt }) => formatTime(endedAt) },
  { title: 'Outcome', read: ({ outcome }) => formatEnum(LoginOutcomeSchema, outcome) },
  { title: 'Stage', read: ({ stage }) => formatText(stage) },
  { title: 'Reason', read: ({ reason }) => formatText(reason) },
  { title: 'Detail', read: ({ detail }) => formatText(detail), detail: true },
  {
    title: 'Explanation',
    read: ({ explanation }) =>
      explanation === undefined
        ? formatText('')
        : formatExplanation(explanation)
            .map((line) => line.trim())
            .join('; '),
    detail: true,
  },
  { title: 'Email', read: ({ maskedEmail }) => formatText(maskedEmail) },
  { title: 'Address', read: ({ address }) => formatText(address) },
  {
    title: 'Configuration',
    read: ({ ssoConfigurationId }) => formatText(ssoConfigurationId),
    detail: true,
  },
  {
    title: 'Revision',
    read: ({ ssoConfigurationRevision }) => String(ssoConfigurationRevision),
    detail: true,
  },
  { title: 'Id', read: ({ id }) => formatText(id) },
];

const OUTCOMES = { admitted: LoginOutcome.ADMITTED, refused: LoginOutcome.REFUSED } as const;

export function addLoginCommands(program: Command, context: CliContext): void {
  const login = program
    .command('login')
    .summary('see where people sign in, and what became of it')
    .description('Shows where a person signs in, and what became of tries to sign in.');
  addAttemptsCommand(login, context);
  addUrlCommand(login, context);
}

interface AttemptsOptions extends ConnectionOptions, LongListOptions {
  readonly organization?: string;
  readonly configuration?: string;
  readonly outcome?: keyof typeof OUTCOMES;
  readonly explain?: boolean;
}

function addAttemptsCommand(login: Command, context: CliContext): void {
  const command = login
    .command('attempts')
    .description('Lists tries to sign in, newest first, with the reason of each refusal.')
    .option('--configuration <id>', 'only through this SSO configuration')
    .addOption(
      new Option('--outcome <outcome>', 'only those that ended so').choices(Object.keys(OUTCOMES)),
    )
    .option(
      '--explain',
      'explain refusals by the rule, with the claims that it saw; shown with --long or --json',
    );
  addConnectionOptions(addListOptions(addLongOption(addOrganizationOption(command))))
    .addHelpText(
      'after',
      `${CONNECTION_HELP}

A person who was refused is shown the id of the attempt.

Examples:
  $ claimgate login attempts --outcome refused --limit 20
  $ claimgate login attempts --long --explain --limit 1
  $ claimgate login attempts --json | jq '.[] | select(.id == "...")'`,
    )
    .action(async (options: AttemptsOptions) => {
      const client = await connect(context, options);
      const rows = listAll(client.loginAttempts.listLoginAttempts, {
        organizationId: await chooseOrganization(client, options),
        filter: {
          ssoConfigurationId: options.configuration ?? '',
          outcome:
            options.outcome === undefined ? LoginOutcome.UNSPECIFIED : OUTCOMES[options.outcome],
        },
        explain: options.explain === true,
      });
      await printList(context, options, LoginAttemptSchema, rows, COLUMNS);
    });
}

interface UrlOptions extends ServerOptions, PrintOptions {
  readonly returnTo?: string;
}

function addUrlCommand(login: Command, context: CliContext): void {
  const command = login
    .command('url <email>')
    .description('Prints where a person with this email signs in. Needs no token.')
    .option('--return-to <url>', 'where the browser goes after the login, on an allowed origin');
  addServerOptions(addPrintOptions(command))
    .addHelpText(
      'after',
      `${SERVER_HELP}

Examples:
  $ claimgate login url ada@example.com`,
    )
    .action(async (email: string, options: UrlOptions) => {
      const { returnTo } = options;
      const client = connectWithoutToken(context, options);
      const response = await client.accounts.getSSOLoginURL({
        email,
        ...(returnTo === undefined ? {} : { returnTo }),
      });
      if (options.json === true) {
        await printJson(context, GetSSOLoginURLResponseSchema, response);
        return;
      }
      await write(context, `${formatText(response.loginUrl)}\n`);
    });
}
