/**
 * Owns which ways of seeing the server run are on, and joins them: the log always, metrics where there is a port for
 * them, traces where there is somebody to send them to. What is off is not loaded, and nothing passes through it.
 */
import type { Logger } from 'pino';

import { readVersion } from './cli/read-version.ts';
import type { Config } from './config.ts';
import type { StoreWatcher, WatchIdpRequest } from './domain/observation.ts';
import type { Store } from './domain/ports.ts';
import type { StartServedSpan } from './domain/tracing.ts';
import { watchRefusals } from './limits/watch-refusals.ts';
import { createCallObserver, createLoginObserver, SUCCESS_LEVEL } from './log.ts';
import type { ObserveLogin } from './login/routes.ts';
import type { OpenedStore } from './open-store.ts';
import type { ObserveCall } from './rpc/call-record.ts';
import type { Metrics } from './telemetry/metrics.ts';
import type { Traces } from './telemetry/traces.ts';

export interface Telemetry extends Pick<OpenedStore, 'store' | 'rateLimiter'> {
  readonly observeCall: ObserveCall;
  /** Whether calls that went well are to be observed, too. */
  readonly observesSuccess: boolean;
  readonly observeLogin: ObserveLogin;
  readonly watchIdpRequest: WatchIdpRequest | undefined;
  readonly startServedSpan: StartServedSpan | undefined;
  /** Where metrics are read; absent when they are off, or read elsewhere. */
  readonly metricsUrl: string | undefined;
}

export interface TelemetryOptions {
  readonly config: Pick<Config, 'metricsHost' | 'metricsPort' | 'traces' | 'database'>;
  readonly logger: Logger;
  readonly opened: OpenedStore;
  /** The primary process serves the metrics of all its workers. */
  readonly isWorker: boolean;
}

/** What one way of seeing adds to what is joined. */
interface Watching {
  readonly storeWatcher: StoreWatcher;
  readonly watchIdpRequest: WatchIdpRequest;
}

/** @param started is given what has to be ended. */
export async function startTelemetry(
  options: TelemetryOptions,
  started: AsyncDisposableStack,
): Promise<Telemetry> {
  const { config, logger, opened, isWorker } = options;
  const metrics = await loadMetrics(options);
  const traces = await startTraces(options, started);
  const watching: readonly Watching[] = [metrics, traces].filter((each) => each !== undefined);
  const log = {
    observeCall: createCallObserver(logger),
    observeLogin: createLoginObserver(logger),
  };
  const { store, rateLimiter } = opened;
  return {
    store: await watchAll(store, watching),
    rateLimiter: metrics ? watchRefusals(rateLimiter, metrics.noteRefusedByLimit) : rateLimiter,
    observeCall: joinObservers(log.observeCall, metrics?.observeCall),
    observesSuccess: metrics !== undefined || logger.isLevelEnabled(SUCCESS_LEVEL),
    observeLogin: joinObservers(log.observeLogin, metrics?.observeLogin),
    watchIdpRequest: joinIdpWatchers(watching),
    startServedSpan: traces?.startServedSpan,
    metricsUrl:
      metrics && !isWorker
        ? await serveMetrics(config, logger, () => metrics.registry.metrics(), started)
        : undefined,
  };
}

async function loadMetrics({
  config,
  opened,
  isWorker,
}: TelemetryOptions): Promise<Metrics | undefined> {
  if (config.metricsPort === undefined) return undefined;
  const { createMetrics } = await import('./telemetry/metrics.ts');
  const metrics = createMetrics({ version: readVersion(), readPool: opened.readPool });
  if (isWorker) {
    const { shareMetrics } = await import('./telemetry/worker-metrics.ts');
    shareMetrics(metrics.registry);
  }
  return metrics;
}

async function startTraces(
  { config, logger }: TelemetryOptions,
  started: AsyncDisposableStack,
): Promise<Traces | undefined> {
  const { settings, warnings } = config.traces;
  for (const detail of warnings) logger.warn({ detail }, 'traces');
  if (settings === undefined) return undefined;
  const { createTraces } = await import('./telemetry/traces.ts');
  const traces = createTraces({
    settings,
    version: readVersion(),
    database: config.database.kind === 'postgres' ? 'postgresql' : 'sqlite',
    onError: (error) => logger.warn({ err: error }, 'traces not exported'),
  });
  started.defer(() => traces.close());
  return traces;
}

async function watchAll(store: Store, watching: readonly Watching[]): Promise<Store> {
  if (watching.length === 0) return store;
  const { watchStore } = await import('./telemetry/watch-store.ts');
  return watching.reduce((watched, { storeWatcher }) => watchStore(watched, storeWatcher), store);
}

function joinIdpWatchers(watching: readonly Watching[]): WatchIdpRequest | undefined {
  const [first, ...others] = watching.map(({ watchIdpRequest }) => watchIdpRequest);
  return others.reduce<WatchIdpRequest | undefined>(
    (inner, outer) => inner && ((kind, send) => outer(kind, () => inner(kind, send))),
    first,
  );
}

function joinObservers<Told>(
  first: (told: Told) => void,
  second: ((told: Told) => void) | undefined,
): (told: Told) => void {
  if (second === undefined) return first;
  return (told) => {
    first(told);
    second(told);
  };
}

/** In the primary of several processes: where the metrics of all are read. */
export async function startWorkerMetrics(
  config: Pick<Config, 'metricsHost' | 'metricsPort'>,
  logger: Logger,
  started: AsyncDisposableStack,
): Promise<string | undefined> {
  if (config.metricsPort === undefined) return undefined;
  const { createWorkerMetricsReader } = await import('./telemetry/worker-metrics.ts');
  return serveMetrics(config, logger, createWorkerMetricsReader(), started);
}

async function serveMetrics(
  { metricsHost: host, metricsPort: port = 0 }: Pick<Config, 'metricsHost' | 'metricsPort'>,
  logger: Logger,
  collect: () => Promise<string>,
  started: AsyncDisposableStack,
): Promise<string> {
  const { startMetricsServer } = await import('./telemetry/metrics-server.ts');
  const onError = (error: unknown): void => logger.error({ err: error }, 'metrics');
  const server = await startMetricsServer({ host, port, collect, onError });
  started.defer(() => server.close());
  return `http://${host.includes(':') ? `[${host}]` : host}:${server.port}/metrics`;
}
