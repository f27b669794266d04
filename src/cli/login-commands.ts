/** Owns `claimgate login`: where a person signs in, and what became of tries to. */
import { Option } from 'commander';
import type { Command } from 'commander';

import { listAll } from '../client/node.ts';
import { LoginAttemptSchema, LoginOutcome } from '../../gen/claimgate/v1/login_attempt_pb.ts';
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
import { formatText } from './format-value.ts';
import { LOGIN_ATTEMPT_COLUMNS } from './login-attempt-columns.ts';
import { addLoginShowCommand } from './login-show-command.ts';
import {
  addListOptions,
  addLongOption,
  addPrintOptions,
  printJson,
  printList,
  write,
} from './print.ts';
import type { LongListOptions, PrintOptions } from './print.ts';

const OUTCOMES = { admitted: LoginOutcome.ADMITTED, refused: LoginOutcome.REFUSED } as const;

export function addLoginCommands(program: Command, context: CliContext): void {
  const login = program
    .command('login')
    .summary('see where people sign in, and what became of it')
    .description('Shows where a person signs in, and what became of tries to sign in.');
  addAttemptsCommand(login, context);
  addLoginShowCommand(login, context);
  addUrlCommand(login, context);
}

interface AttemptsOptions extends ConnectionOptions, LongListOptions {
  readonly organization?: string;
  readonly configuration?: string;
  readonly outcome?: keyof typeof OUTCOMES;
  readonly email?: string;
  readonly withClaims?: boolean;
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
      '--email <email>',
      'only with an email that is masked as this one is: its first letter and its domain',
    )
    .option('--with-claims', 'only those whose claims are kept')
    .option(
      '--explain',
      'explain refusals by the rule, with the claims that it saw; shown with --long or --json',
    );
  addConnectionOptions(addListOptions(addLongOption(addOrganizationOption(command))))
    .addHelpText(
      'after',
      `${CONNECTION_HELP}

A person who was refused is shown the id of the attempt: see "claimgate login show".

Examples:
  $ claimgate login attempts --outcome refused --limit 20
  $ claimgate login attempts --long --explain --limit 1
  $ claimgate login attempts --email ada@example.com --with-claims`,
    )
    .action(async (options: AttemptsOptions) => {
      const client = await connect(context, options);
      const rows = listAll(client.loginAttempts.listLoginAttempts, {
        organizationId: await chooseOrganization(client, options),
        filter: {
          ssoConfigurationId: options.configuration ?? '',
          outcome:
            options.outcome === undefined ? LoginOutcome.UNSPECIFIED : OUTCOMES[options.outcome],
          email: options.email ?? '',
          claimsKept: options.withClaims === true,
        },
        explain: options.explain === true,
      });
      await printList(context, options, LoginAttemptSchema, rows, LOGIN_ATTEMPT_COLUMNS);
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
