/**
 * Composition root: joins all parts, and is the only reader of the environment and of signals.
 */
import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { v7 as newId } from 'uuid';

import { ConfigError, parseConfig } from './config.ts';
import type { Config } from './config.ts';
import { createDnsResolver } from './dns/dns-resolver.ts';
import { bootstrapStore } from './domain/bootstrap.ts';
import { describeIssuer, KEY_SET_MAX_AGE, makeFirstKey, publishKeySet } from './domain/id-token.ts';
import type { Environment } from './domain/ports.ts';
import type { RateLimiter } from './domain/rate-limiter.ts';
import { createReadinessCheck } from './domain/readiness.ts';
import { createRefusalRecorder } from './domain/refusal-recorder.ts';
import { createUseRecorder } from './domain/use-recorder.ts';
import { createLoginEndpoint } from './http/login-endpoint.ts';
import { startListener } from './http/listener.ts';
import type { ListenerOptions } from './http/listener.ts';
import { createApiDocuments } from './http/api-documents.ts';
import { createRequestHandler } from './http/request-handler.ts';
import { createRpcEndpoint } from './http/rpc-endpoint.ts';
import { findConsoleFolder, loadStaticFiles } from './http/static-files.ts';
import { createEs256Signer } from './jwt/es256-signer.ts';
import { createLogger } from './log.ts';
import { createLoginRoutes } from './login/routes.ts';
import { createConfigurationChecker } from './oidc/configuration-checker.ts';
import { createGuardedFetch } from './oidc/guarded-fetch.ts';
import { createOpenidProviderClient } from './oidc/openid-provider-client.ts';
import { describeDatabase, openStore } from './open-store.ts';
import { createRpcOptions } from './rpc/routes.ts';
import { describeStart } from './start-message.ts';
import type { StartedServer, StartSettings } from './start-message.ts';
import { startTelemetry, startWorkerMetrics } from './telemetry.ts';
import type { Telemetry } from './telemetry.ts';
import { loadTlsFiles } from './tls-files.ts';
import { startUpkeep } from './upkeep.ts';

/** How long calls under way may take to finish when we stop, in milliseconds. */
const DRAIN_MS = 8000;
/** How long a worker may take to stop, in milliseconds. */
const WORKER_STOP_MS = DRAIN_MS + 1500;

export interface RunningServer extends StartedServer {
  /** Where metrics are read; absent when they are off, and in a worker. */
  readonly metricsUrl: string | undefined;
  /** Finishes the calls under way, then stops. */
  readonly stop: () => Promise<void>;
}

/** Runs the server until a signal ends it. Resolves to the process's exit code. */
export async function serve(environment: NodeJS.ProcessEnv): Promise<number> {
  // Times in claims rules are told in UTC, wherever the machine stands.
  process.env['TZ'] = 'UTC';
  try {
    const config = parseConfig(environment);
    const logger = createLogger(config.logLevel);
    return await (config.workers === 1
      ? serveAlone(config, logger)
      : serveTogether(config, logger));
  } catch (error) {
    process.stderr.write(`claimgate: ${describeStartFailure(error)}\n`);
    return error instanceof ConfigError ? 2 : 1;
  }
}

async function serveAlone(config: Config, logger: Logger): Promise<number> {
  const server = await startServer(config, logger);
  const signal = waitForSignal(['SIGTERM', 'SIGINT']);
  process.stdout.write(describeStart(server, readSettings(config, server.metricsUrl)));
  return endAfter(await signal, logger, server.stop);
}

/** As the primary process, or as one of its workers. */
async function serveTogether(config: Config, logger: Logger): Promise<number> {
  // One process alone has no need of these.
  const { createPrimaryCounters, createWorkerRateLimiter } =
    await import('./limits/worker-rate-limiter.ts');
  const worker = await import('./worker.ts');
  if (worker.workerId === undefined) {
    const { startWorkers } = await import('./workers.ts');
    createPrimaryCounters();
    await using started = new AsyncDisposableStack();
    const metricsUrl = await startWorkerMetrics(config, logger, started);
    const { server, stop } = await startWorkers({ ...config, count: config.workers, logger });
    const signal = waitForSignal(['SIGTERM', 'SIGINT']);
    process.stdout.write(describeStart(server, readSettings(config, metricsUrl)));
    return await endAfter(await signal, logger, () => stop(WORKER_STOP_MS));
  }
  const ownLogger = logger.child({ worker: worker.workerId });
  try {
    const server = await startServer(config, ownLogger, {
      rateLimiter: createWorkerRateLimiter(),
      receiveConnections: worker.receiveConnections,
    });
    worker.announceStart(server);
    return await endAfter(await worker.waitForStop(), ownLogger, server.stop);
  } finally {
    worker.leavePrimary();
  }
}

async function endAfter(
  signal: string,
  logger: Logger,
  stop: () => Promise<void>,
): Promise<number> {
  logger.info({ signal }, 'stopping');
  try {
    await stop();
  } catch (error) {
    logger.error({ err: error }, 'not everything stopped as it should');
    return 1;
  }
  logger.info('stopped');
  return 0;
}

/** What a process that serves alone has of its own, and workers have from their primary. */
interface Surroundings {
  /** Counts for the processes that share an embedded database. */
  readonly rateLimiter?: RateLimiter;
  readonly receiveConnections?: ListenerOptions['receiveConnections'];
}

/** Starts everything, in the order in which it depends on one another; on failure, ends what had started. */
export async function startServer(
  config: Config,
  logger: Logger,
  surroundings: Surroundings = {},
): Promise<RunningServer> {
  const tls = config.tls && (await loadTlsFiles(config.tls));
  // Ends what has started, the last first, and all of it also when one part fails to end.
  const started = new AsyncDisposableStack();
  try {
    const opened = await openStore(config, surroundings.rateLimiter);
    started.defer(() => opened.store.close());
    const isWorker = surroundings.receiveConnections !== undefined;
    const telemetry = await startTelemetry({ config, logger, opened, isWorker }, started);
    const { url, bootstrapped } = await startWithStore(
      config,
      logger,
      { ...surroundings, ...telemetry },
      tls,
      started,
    );
    const { metricsUrl } = telemetry;
    return { url, bootstrapped, metricsUrl, stop: () => started.disposeAsync() };
  } catch (error) {
    await started
      .disposeAsync()
      .catch((failure: unknown) => logger.warn({ err: failure }, 'not ended after a failed start'));
    throw error;
  }
}

async function startWithStore(
  config: Config,
  logger: Logger,
  telemetry: Telemetry & Surroundings,
  tls: { cert: Buffer; key: Buffer } | undefined,
  started: AsyncDisposableStack,
): Promise<StartedServer> {
  const { store, rateLimiter, receiveConnections, watchIdpRequest } = telemetry;
  // The port is known only once we listen, and URLs that we make may name it.
  let publicUrl = config.publicUrl ?? '';
  const now = () => new Date();
  const guarded = createGuardedFetch({
    allowHttp: config.allowHttpIssuers,
    allowPrivate: config.allowPrivateIssuers,
    watch: watchIdpRequest,
  });
  started.defer(() => guarded.close());
  const refusals = createRefusalRecorder({ store, now, newId }, (error) =>
    logger.warn({ err: error }, 'refusals not recorded'),
  );
  started.defer(() => refusals.close());
  const env: Environment = {
    store,
    dns: createDnsResolver({ servers: config.dnsServers }),
    signer: createEs256Signer(),
    now,
    newId,
    randomBytes,
    get publicUrl() {
      return publicUrl;
    },
    identityProvider: createOpenidProviderClient({ guarded, now }),
    configurationChecker: createConfigurationChecker({ guarded, now }),
    allowHttpIssuers: config.allowHttpIssuers,
    returnToOrigins: config.returnToOrigins,
    sessionLifetime: config.sessionLifetime,
    attemptRetention: config.attemptRetention,
    auditRetention: config.auditRetention,
    rateLimiter,
    refusals,
  };
  const tokenUses = createUseRecorder(
    (uses) => store.transaction((tx) => tx.recordTokenUses(uses)),
    now,
  );
  const sessionUses = createUseRecorder(
    (uses) => store.transaction((tx) => tx.recordSessionUses(uses)),
    now,
  );
  const upkeep = startUpkeep({ env, recorders: [tokenUses, sessionUses, refusals], logger });
  started.defer(() => upkeep.stop());
  const checkReadiness = createReadinessCheck({
    ping: () => store.ping(),
    now: () => performance.now(),
  });
  const consoleFolder = findConsoleFolder();
  const listener = await startListener({
    host: config.host,
    port: config.port,
    receiveConnections,
    tls,
    handle: createRequestHandler({
      handleRpc: createRpcEndpoint(
        createRpcOptions({
          env,
          tokenUses,
          sessionUses,
          allowedOrigins: config.allowedOrigins,
          observe: telemetry.observeCall,
          observesSuccess: telemetry.observesSuccess,
          health: { checkReadiness, draining: () => listener.draining },
          publicSchema: config.publicSchema,
        }),
        config.trustedProxies,
        telemetry.startServedSpan,
      ),
      handleLogin: createLoginEndpoint(
        createLoginRoutes(env, {
          allowedOrigins: config.allowedOrigins,
          hasConsole: consoleFolder !== undefined,
          noteSessionUse: (id) => sessionUses.note(id),
          observe: telemetry.observeLogin,
        }),
        config.trustedProxies,
        telemetry.startServedSpan,
      ),
      apiDocuments: config.publicSchema ? createApiDocuments(env) : undefined,
      // `localhost` is shared with servers that have no TLS.
      strictTransport: tls !== undefined && URL.parse(publicUrl)?.hostname !== 'localhost',
      console: consoleFolder === undefined ? undefined : await loadStaticFiles(consoleFolder, env),
      allowedOrigins: config.allowedOrigins,
      checkReadiness,
      noteUnready: (error) => logger.warn({ err: error }, 'not ready'),
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
  // Nobody is waited for by a start that fails.
  let drainMs = 0;
  started.defer(() => listener.close({ drainMs }));
  const url = createUrl(tls === undefined ? 'http' : 'https', config.host, listener.port);
  publicUrl ||= url;
  // Only now that nothing else can fail: the token that this may make is told once.
  const bootstrapped = await bootstrapStore(env, config.bootstrapToken);
  if (bootstrapped !== undefined) await makeFirstKey(env);
  drainMs = DRAIN_MS;
  return { url, bootstrapped };
}

function readSettings({ tls, database }: Config, metricsUrl: string | undefined): StartSettings {
  return { isTls: tls !== undefined, database: describeDatabase(database), metricsUrl };
}

function createUrl(scheme: string, host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `${scheme}://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

function describeStartFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE')
    return `${error.message}. Another program has the port: set CLAIMGATE_PORT.`;
  return error.message;
}

/**
 * Is to be called before anybody is told that the server runs. Takes the first signal alone: the next ends the process at
 * once, as it would without us.
 */
function waitForSignal(signals: readonly NodeJS.Signals[]): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const take = (received: NodeJS.Signals): void => {
      for (const signal of signals) process.off(signal, take);
      resolve(received);
    };
    for (const signal of signals) process.on(signal, take);
  });
}
