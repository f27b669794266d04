/**
 * Owns how a command reaches the server: its options, the two variables that stand for them (`CLAIMGATE_URL`,
 * `CLAIMGATE_TOKEN`), and the organization that is meant when none is named. No other file of the client's commands
 * reads the environment.
 */
import { Option } from 'commander';
import type { Command } from 'commander';

import { ClaimgateError, createClaimgateClient } from '../client/node.ts';
import type { ClaimgateClient } from '../client/node.ts';
import type { CliContext } from './cli-context.ts';
import { UsageError } from './cli-errors.ts';
import { parseSeconds, refuseOnCommandLine } from './option-values.ts';

const DEFAULT_URL = 'http://127.0.0.1:8080';

export interface ServerOptions {
  readonly url?: string;
  /** In seconds. */
  readonly timeout?: number;
}

export interface ConnectionOptions extends ServerOptions {
  readonly tokenFile?: string;
}

/** What the help of every command that calls a server with a token ends with. */
export const CONNECTION_HELP = `
Environment:
  CLAIMGATE_URL        where the server listens, unless --url says so
  CLAIMGATE_TOKEN      token to call with, unless --token-file names a file
  NODE_EXTRA_CA_CERTS  file with certificate authorities of your own, for https`;

/** The same for a command that is open to everybody. */
export const SERVER_HELP = `
Environment:
  CLAIMGATE_URL        where the server listens, unless --url says so
  NODE_EXTRA_CA_CERTS  file with certificate authorities of your own, for https`;

export function addServerOptions(command: Command): Command {
  return command
    .option('--url <url>', `where the server listens (default: $CLAIMGATE_URL, or ${DEFAULT_URL})`)
    .addOption(
      new Option('--timeout <seconds>', 'how long a call may take')
        .default(10)
        .argParser(parseSeconds),
    );
}

export function addConnectionOptions(command: Command): Command {
  return addServerOptions(command)
    .option(
      '--token-file <file>',
      'file that holds the personal access token, - for standard input (default: $CLAIMGATE_TOKEN)',
    )
    .addOption(
      refuseOnCommandLine(
        '--token',
        'A token on the command line can be read by others on this machine. Put it into CLAIMGATE_TOKEN, or into a file that --token-file names.',
      ),
    );
}

export async function connect(
  context: CliContext,
  options: ConnectionOptions,
): Promise<ClaimgateClient> {
  return openClient(context, options, await readToken(context, options));
}

/** For calls that are open to everybody: a token that lies around is not sent. */
export function connectWithoutToken(context: CliContext, options: ServerOptions): ClaimgateClient {
  return openClient(context, options, undefined);
}

function openClient(
  context: CliContext,
  options: ServerOptions,
  token: string | undefined,
): ClaimgateClient {
  const baseUrl = options.url ?? (context.env['CLAIMGATE_URL'] || DEFAULT_URL);
  const timeoutMs = options.timeout === undefined ? undefined : options.timeout * 1000;
  try {
    return createClaimgateClient({ baseUrl, token, timeoutMs });
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    const message = cause.message.replace('baseUrl', 'The URL of --url or CLAIMGATE_URL');
    throw new UsageError(message, { cause });
  }
}

async function readToken(context: CliContext, options: ConnectionOptions): Promise<string> {
  if (options.tokenFile !== undefined) return context.readInput(options.tokenFile, 'token');
  const token = context.env['CLAIMGATE_TOKEN'] ?? '';
  if (token !== '') return token;
  throw new ClaimgateError('unauthenticated', 'No token to call with.');
}

export function addOrganizationOption(command: Command): Command {
  return command.option(
    '--organization <id>',
    "id of the organization (default: the token's own organization)",
  );
}

/** The organization that is named, or else the one that the token belongs to. */
export async function chooseOrganization(
  client: ClaimgateClient,
  options: { readonly organization?: string },
): Promise<string> {
  if (options.organization !== undefined) return options.organization;
  const { organizationId } = await client.identity.getAuthenticatedIdentity({});
  return organizationId;
}

/** The user that is named, or else the one that the token belongs to. */
export async function chooseUser(
  client: ClaimgateClient,
  userId: string | undefined,
): Promise<string> {
  if (userId !== undefined) return userId;
  const { subject } = await client.identity.getAuthenticatedIdentity({});
  return subject?.id ?? '';
}
