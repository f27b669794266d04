/**
 * Owns which ways of seeing the server run are on, and joins them: the log always, metrics where there is a port for
 * them. What is off is not loaded, and nothing passes through it.
 */
import type { Logger } from 'pino';

import { readVersion } from './cli/read-version.ts';
import type { Config } from './config.ts';
import type { WatchIdpRequest } from './domain/observation.ts';
import { watchRefusals } from './limits/watch-refusals.ts';
import { createCallObserver, createLoginObserver } from './log.ts';
import type { ObserveLogin } from './login/routes.ts';
import type { OpenedStore } from './open-store.ts';
import type { ObserveCall } from './rpc/call-record.ts';
import type { Metrics } from './telemetry/metrics.ts';

export interface Telemetry extends Pick<OpenedStore, 'store' | 'rateLimiter'> {
  readonly observeCall: ObserveCall;
  readonly observeLogin: ObserveLogin;
  readonly watchIdpRequest: WatchIdpRequest | undefined;
  /** Where metrics are read; absent when they are off, or read elsewhere. */
  readonly metricsUrl: string | undefined;
}

export interface TelemetryOptions {
  readonly config: Pick<Config, 'metricsHost' | 'metricsPort'>;
  readonly logger: Logger;
  readonly opened: OpenedStore;
  /** The primary process serves the metrics of all its workers. */
  readonly isWorker: boolean;
}

/** @param started is given what has to be ended. */
export async function startTelemetry(
  { config, logger, opened, isWorker }: TelemetryOptions,
  started: AsyncDisposableStack,
): Promise<Telemetry> {
  const { store, rateLimiter, readPool } = opened;
  const log = {
    observeCall: createCallObserver(logger),
    observeLogin: createLoginObserver(logger),
  };
  if (config.metricsPort === undefined) {
    return { store, rateLimiter, ...log, watchIdpRequest: undefined, metricsUrl: undefined };
  }
  const { createMetrics } = await import('./telemetry/metrics.ts');
  const { watchStore } = await import('./telemetry/watch-store.ts');
  const metrics = createMetrics({ version: readVersion(), readPool });
  return {
    store: watchStore(store, metrics.storeWatcher),
    rateLimiter: watchRefusals(rateLimiter, metrics.noteRefusedByLimit),
    observeCall(call) {
      log.observeCall(call);
      metrics.observeCall(call);
    },
    observeLogin(login) {
      log.observeLogin(login);
      metrics.observeLogin(login);
    },
    watchIdpRequest: metrics.watchIdpRequest,
    metricsUrl: isWorker
      ? await shareWithPrimary(metrics)
      : await serveMetrics(config, logger, () => metrics.registry.metrics(), started),
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

async function shareWithPrimary({ registry }: Metrics): Promise<undefined> {
  const { shareMetrics } = await import('./telemetry/worker-metrics.ts');
  shareMetrics(registry);
}

async function serveMetrics(
  { metricsHost: host, metricsPort: port = 0 }: TelemetryOptions['config'],
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
