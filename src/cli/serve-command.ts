/** Owns `claimgate serve`: it hands the environment to the server, and knows nothing of what happens there. */
import type { Command } from 'commander';

import type { CliContext } from './cli-context.ts';
import { CommandFailure } from './cli-errors.ts';

/** A test compares the names with those that the server knows. */
const HELP = `
It needs no set-up. The first start makes the database, the organization "Default organization"
and an operator's personal access token, which is printed this once. SIGTERM and SIGINT finish the
calls under way, then end it.

Environment:
  CLAIMGATE_HOST                   address to listen on (127.0.0.1)
  CLAIMGATE_PORT                   port to listen on (8080); 0 picks a free one
  CLAIMGATE_PUBLIC_URL             what URLs that it makes begin with (where it listens)
  CLAIMGATE_WORKERS                processes that serve the port (1); 0 is one per core
  CLAIMGATE_LOG_LEVEL              trace, debug, info, warn, error or silent (info)
  CLAIMGATE_METRICS_PORT           port for Prometheus metrics at /metrics (none); 0 picks a free one
  CLAIMGATE_METRICS_HOST           address for them (127.0.0.1)
  CLAIMGATE_TLS_CERT               file with the certificates, in PEM form; with the next, TLS is on
  CLAIMGATE_TLS_KEY                file with the key, in PEM form
  CLAIMGATE_PUBLIC_SCHEMA          whether reflection, /openapi.json and /docs answer (true)
  CLAIMGATE_ALLOWED_ORIGINS        origins whose web pages may call it, comma-separated (none)
  CLAIMGATE_DATABASE_URL           sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE (sqlite:./data/claimgate.db)
  CLAIMGATE_ENCRYPTION_KEYS        id:base64 keys for secrets, comma-separated (a file by the SQLite database;
                                   with PostgreSQL it has to be set)
  CLAIMGATE_BOOTSTRAP_TOKEN        the first start's token, 24 characters or more (random, printed)
  CLAIMGATE_DNS_SERVERS            servers to look domains up at, comma-separated (the system's)
  CLAIMGATE_RETURN_TO_ORIGINS      origins that a login may return to, comma-separated (none)
  CLAIMGATE_SESSION_IDLE_MINUTES   how long a session lasts without use (480)
  CLAIMGATE_SESSION_MAX_MINUTES    how long a session lasts at most (1440)
  CLAIMGATE_LOGIN_ATTEMPT_CLAIMS   login attempts kept with their claims, per SSO configuration (200)
  CLAIMGATE_LOGIN_ATTEMPT_DAYS     days that login attempts are kept (30)
  CLAIMGATE_SIGN_IN_DAYS           days that sign-ins which succeeded are kept (7)
  CLAIMGATE_AUDIT_DAYS             days that audit records are kept (365)
  CLAIMGATE_TRUSTED_PROXIES        addresses or blocks whose X-Forwarded-For is believed, comma-separated (none)
  CLAIMGATE_ALLOW_HTTP_ISSUERS     INSECURE, for development: accepts issuers without TLS (false)
  CLAIMGATE_ALLOW_PRIVATE_ISSUERS  INSECURE, for development: lets issuers be on private networks (false)

OpenTelemetry's own variables, such as OTEL_EXPORTER_OTLP_ENDPOINT, switch the export of traces on.

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
