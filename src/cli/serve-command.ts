/** Owns `claimgate serve`: it hands the environment to the server, and knows nothing of what happens there. */
import type { Command } from 'commander';

import type { CliContext } from './cli-context.ts';
import { CommandFailure } from './cli-errors.ts';

/** A test compares the names with those that the server knows. */
const HELP = `
It needs no set-up. The first start makes the database, the organization "Default organization" and an operator's
personal access token, which is printed this once. SIGTERM and SIGINT finish the calls under way, then end it.

Environment:
  CLAIMGATE_HOST                   address to listen on (127.0.0.1)
  CLAIMGATE_PORT                   port to listen on (8080); 0 picks a free one
  CLAIMGATE_PUBLIC_URL             what URLs that it makes begin with (where it listens)
  CLAIMGATE_LOG_LEVEL              trace, debug, info, warn, error or silent (info)
  CLAIMGATE_TLS_CERT               file with the certificates, in PEM form; with the next, TLS is on
  CLAIMGATE_TLS_KEY                file with the key, in PEM form
  CLAIMGATE_ALLOWED_ORIGINS        origins whose web pages may call it, separated by commas (none)
  CLAIMGATE_DATABASE_URL           the database (sqlite:./data/claimgate.db)
  CLAIMGATE_ENCRYPTION_KEYS        id:base64 keys for secrets, separated by commas (a file beside the database)
  CLAIMGATE_BOOTSTRAP_TOKEN        the first start's token, 24 characters or more (a random one, printed)
  CLAIMGATE_DNS_SERVERS            servers to look domains up at, separated by commas (the system's)
  CLAIMGATE_ALLOW_HTTP_ISSUERS     INSECURE, for development: true accepts issuers without TLS (false)
  CLAIMGATE_ALLOW_PRIVATE_ISSUERS  INSECURE, for development: true lets issuers be on private networks (false)

Other names that begin with CLAIMGATE_ and bad values are refused, all at once.

Examples:
  $ claimgate serve
  $ CLAIMGATE_PORT=9000 CLAIMGATE_DATABASE_URL=sqlite:/var/lib/claimgate/claimgate.db claimgate serve`;

export function addServeCommand(program: Command, context: CliContext): void {
  program
    .command('serve')
    .summary('run the server')
    .description('Runs the server: Connect, gRPC and gRPC-Web on one port.')
    .addHelpText('after', HELP)
    .action(async () => {
      // The client's commands start faster without the server's modules.
      const { serve } = await import('../main.ts');
      const exitCode = await serve(context.env);
      if (exitCode !== 0) throw new CommandFailure(exitCode, '');
    });
}
