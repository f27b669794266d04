/** Owns `claimgate token`: personal access tokens, whose value is printed once, when it is made. */
import type { Command } from 'commander';

import { listAll } from '../client/node.ts';
import {
  CreatePersonalAccessTokenResponseSchema,
  DeletePersonalAccessTokenResponseSchema,
  PersonalAccessTokenSchema,
} from '../../gen/gitpod/v1/user_pb.ts';
import type { PersonalAccessToken } from '../../gen/gitpod/v1/user_pb.ts';
import type { CliContext } from './cli-context.ts';
import { addConfirmOption, confirm } from './confirm.ts';
import type { ConfirmOptions } from './confirm.ts';
import { addConnectionOptions, chooseUser, connect, CONNECTION_HELP } from './connection.ts';
import type { ConnectionOptions } from './connection.ts';
import { formatText, formatTime } from './format-value.ts';
import { collect, parseDuration } from './option-values.ts';
import {
  addListOptions,
  addPrintOptions,
  printDone,
  printJson,
  printList,
  write,
} from './print.ts';
import type { Column, ListOptions, PrintOptions } from './print.ts';

const COLUMNS: readonly Column<PersonalAccessToken>[] = [
  { title: 'Id', read: ({ id }) => formatText(id) },
  { title: 'Description', read: ({ description }) => formatText(description) },
  { title: 'May', read: ({ readOnly }) => (readOnly ? 'read' : 'read and write') },
  { title: 'User id', read: ({ userId }) => formatText(userId) },
  { title: 'Created', read: ({ createdAt }) => formatTime(createdAt) },
  { title: 'Expires', read: ({ expiresAt }) => formatTime(expiresAt) },
  { title: 'Last used', read: ({ lastUsed }) => formatTime(lastUsed) },
];

type CallOptions = ConnectionOptions & PrintOptions;

export function addTokenCommands(program: Command, context: CliContext): void {
  const token = program
    .command('token')
    .summary('manage personal access tokens')
    .description('Manages personal access tokens, by which programs and people call the API.');
  addCreateCommand(token, context);
  addListCommand(token, context);
  addDeleteCommand(token, context);
}

interface CreateOptions extends CallOptions {
  readonly description?: string;
  readonly validFor?: bigint;
  readonly readOnly?: boolean;
  readonly user?: string;
}

function addCreateCommand(token: Command, context: CliContext): void {
  const command = token
    .command('create')
    .description('Creates a token, and prints it this once: it cannot be had again.')
    .option('--description <text>', 'what it is for')
    .option(
      '--valid-for <time>',
      'how long it works, such as 12h or 30d; 90d at most',
      parseDuration,
    )
    .option('--read-only', 'it may read, and change nothing')
    .option('--user <id>', "whose token it is to be (default: the calling token's user)");
  addConnectionOptions(addPrintOptions(command))
    .addHelpText(
      'after',
      `${CONNECTION_HELP}

Standard output holds the token alone.

Examples:
  $ claimgate token create --description "terraform" --valid-for 30d > ./token && chmod 600 ./token
  $ claimgate sso list --token-file ./token`,
    )
    .action(async (options: CreateOptions) => {
      const { validFor } = options;
      const client = await connect(context, options);
      const response = await client.users.createPersonalAccessToken({
        userId: await chooseUser(client, options.user),
        description: options.description ?? '',
        readOnly: options.readOnly ?? false,
        ...(validFor === undefined ? {} : { validFor: { seconds: validFor } }),
      });
      if (options.json === true) {
        await printJson(context, CreatePersonalAccessTokenResponseSchema, response);
      } else {
        await write(context, `${response.token}\n`);
      }
      context.stderr.write('Keep it safe: it is not shown again.\n');
    });
}

function addListCommand(token: Command, context: CliContext): void {
  const command = token
    .command('list')
    .description('Lists tokens without their values.')
    .option(
      '--user <id>',
      "only of this user (default: the calling token's); may be repeated",
      collect,
    );
  addConnectionOptions(addListOptions(command))
    .addHelpText('after', CONNECTION_HELP)
    .action(async (options: ConnectionOptions & ListOptions & { user?: readonly string[] }) => {
      const client = await connect(context, options);
      const filter = { userIds: [...(options.user ?? [])] };
      const rows = listAll(client.users.listPersonalAccessTokens, { filter });
      await printList(context, options, PersonalAccessTokenSchema, rows, COLUMNS);
    });
}

function addDeleteCommand(token: Command, context: CliContext): void {
  const command = token
    .command('delete <id>')
    .description('Revokes a token at once, also the one that calls.');
  addConnectionOptions(addPrintOptions(addConfirmOption(command)))
    .addHelpText('after', CONNECTION_HELP)
    .action(async (personalAccessTokenId: string, options: CallOptions & ConfirmOptions) => {
      await confirm(context, options, `Delete the token ${personalAccessTokenId}?`);
      const client = await connect(context, options);
      const response = await client.users.deletePersonalAccessToken({ personalAccessTokenId });
      const sentence = `Deleted the token ${personalAccessTokenId}.`;
      await printDone(
        context,
        options,
        DeletePersonalAccessTokenResponseSchema,
        response,
        sentence,
      );
    });
}
