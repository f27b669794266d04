/**
 * Composition root: joins all parts, and is the only reader of the environment and of signals.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { v7 as newId } from 'uuid';

import { ConfigError, parseConfig } from './config.ts';
import type { Config } from './config.ts';
import { createDnsResolver } from './dns/dns-resolver.ts';
import { bootstrapStore } from './domain/bootstrap.ts';
import type { Bootstrapped } from './domain/bootstrap.ts';
import { describeIssuer, KEY_SET_MAX_AGE, publishKeySet } from './domain/id-token.ts';
import type { Environment, Store } from './domain/ports.ts';
import { createTokenUses } from './domain/token-use.ts';
import { startListener } from './http/listener.ts';
import { createRequestHandler } from './http/request-handler.ts';
import { createUnaryAdapter } from './http/unary-adapter.ts';
import { createEs256Signer } from './jwt/es256-signer.ts';
import { createCallObserver, createLogger } from './log.ts';
import { createRpcOptions } from './rpc/routes.ts';
import { loadOrCreateKeyFile, parseEncryptionKeys } from './store/keyring.ts';
import { openSqliteStore } from './store/sqlite.ts';

/** How often gathered token uses are written, in milliseconds. */
const FLUSH_INTERVAL_MS = 30_000;
/** How long calls under way may take to finish when we stop, in milliseconds. */
const DRAIN_MS = 8000;

export interface RunningServer {
  /** Where it listens, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly bootstrapped: Bootstrapped | undefined;
  /** Finishes the calls under way, then stops. */
  readonly stop: () => Promise<void>;
}

/** Runs the server until a signal ends it. Resolves to the process's exit code. */
export async function serve(environment: NodeJS.ProcessEnv): Promise<number> {
  let server: RunningServer;
  let config: Config;
  let logger: Logger;
  try {
    config = parseConfig(environment);
    logger = createLogger(config.logLevel);
    server = await startServer(config, logger);
  } catch (error) {
    process.stderr.write(`claimgate: ${describeStartFailure(error)}\n`);
    return error instanceof ConfigError ? 2 : 1;
  }
  process.stdout.write(describeStart(server, config));
  const signal = await waitForSignal(['SIGTERM', 'SIGINT']);
  logger.info({ signal }, 'stopping');
  await server.stop();
  logger.info('stopped');
  return 0;
}

/** Starts everything, in the order in which it depends on one another; on failure, ends what had started. */
export async function startServer(config: Config, logger: Logger): Promise<RunningServer> {
  const tls = config.tls && {
    cert: await readFile(config.tls.certFile),
    key: await readFile(config.tls.keyFile),
  };
  const store = await openStore(config);
  try {
    return await startWithStore(config, logger, store, tls);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function startWithStore(
  config: Config,
  logger: Logger,
  store: Store,
  tls: { cert: Buffer; key: Buffer } | undefined,
): Promise<RunningServer> {
  // The port is known only once we listen, and URLs that we make may name it.
  let publicUrl = config.publicUrl ?? '';
  const env: Environment = {
    store,
    dns: createDnsResolver({ servers: config.dnsServers }),
    signer: createEs256Signer(),
    now: () => new Date(),
    newId,
    randomBytes,
    get publicUrl() {
      return publicUrl;
    },
    allowHttpIssuers: config.allowHttpIssuers,
  };
  const bootstrapped = await bootstrapStore(env, config.bootstrapToken);
  const tokenUses = createTokenUses(store, env.now);
  const listener = await startListener({
    host: config.host,
    port: config.port,
    tls,
    handle: createRequestHandler({
      handleRpc: createUnaryAdapter(createRpcOptions(env, tokenUses, createCallObserver(logger))),
      allowedOrigins: config.allowedOrigins,
      checkReadiness: () => store.ping(),
      isDraining: () => listener.draining.aborted,
      documents: new Map([
        [
          '/.well-known/jwks.json',
          { read: () => publishKeySet(env), maxAge: KEY_SET_MAX_AGE / 1000 },
        ],
        [
          '/.well-known/openid-configuration',
          { read: async () => describeIssuer(publicUrl), maxAge: 3600 },
        ],
      ]),
    }),
    onError: (error, place) =>
      logger[place === 'client' ? 'debug' : 'error']({ err: error, place }, 'http'),
  });
  const url = createUrl(tls === undefined ? 'http' : 'https', config.host, listener.port);
  publicUrl ||= url;
  const flushing = setInterval(() => void flush(), FLUSH_INTERVAL_MS);
  const flush = () =>
    tokenUses
      .flush()
      .catch((error: unknown) => logger.warn({ err: error }, 'token uses not recorded'));
  return {
    url,
    bootstrapped,
    async stop() {
      await listener.close({ drainMs: DRAIN_MS });
      clearInterval(flushing);
      await flush();
      await store.close();
    },
  };
}

async function openStore(config: Config): Promise<Store> {
  const keyring =
    config.encryptionKeys === undefined
      ? await loadOrCreateKeyFile(join(dirname(config.databaseFile), 'claimgate.key'))
      : parseEncryptionKeys(config.encryptionKeys);
  return openSqliteStore({ file: config.databaseFile, keyring });
}

function createUrl(scheme: string, host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `${scheme}://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/** What a person at a terminal reads. A token that we generated is shown here, this once. */
function describeStart({ url, bootstrapped }: RunningServer, config: Config): string {
  const listening = `Claimgate listens at ${url}\n`;
  if (bootstrapped === undefined) return listening;
  const { generatedToken, organizationId } = bootstrapped;
  const token = generatedToken ?? '$CLAIMGATE_BOOTSTRAP_TOKEN';
  const introduction =
    generatedToken === undefined
      ? 'The operator token is the one in CLAIMGATE_BOOTSTRAP_TOKEN.'
      : `The operator token, shown this once:\n\n  ${generatedToken}\n`;
  const insecure = config.tls === undefined ? '' : ' --insecure';
  return `${listening}
This is the first start: there is now an organization, "Default organization" (${organizationId}).
${introduction}
Try it:

  curl -sS${insecure} ${url}/gitpod.v1.OrganizationService/ListSSOConfigurations -H "Authorization: Bearer ${token}" -H 'Content-Type: application/json' -d '{"organizationId":"${organizationId}"}'

`;
}

function describeStartFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE')
    return `${error.message}. Another program has the port: set CLAIMGATE_PORT.`;
  return error.message;
}

function waitForSignal(signals: readonly NodeJS.Signals[]): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of signals) process.once(signal, resolve);
  });
}
