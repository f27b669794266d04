/**
 * Owns what is measured of the running server, for Prometheus: each metric by its name, unit and labels, which
 * docs/observability.md lists. It refuses to own where they can be read (`metrics-server.ts`).
 *
 * A label's values come from lists that we know, so that nobody's requests can make more of them: methods that we serve,
 * status codes, stages and reasons of logins, names of limits.
 */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

import { DomainError, isOurFailing } from '../domain/errors.ts';
import type { PoolState, StoreWatcher, WatchIdpRequest } from '../domain/observation.ts';
import type { LoginRecord } from '../login/routes.ts';
import type { CallRecord } from '../rpc/call-record.ts';
import { createDurationHistogram } from './duration-histogram.ts';

export interface Metrics {
  readonly registry: Registry;
  readonly observeCall: (call: CallRecord) => void;
  readonly observeLogin: (login: LoginRecord) => void;
  readonly watchIdpRequest: WatchIdpRequest;
  readonly storeWatcher: StoreWatcher;
  /** @param limit its name */
  readonly noteRefusedByLimit: (limit: string) => void;
}

export interface MetricsOptions {
  readonly version: string;
  /** Absent where the store has no pool. */
  readonly readPool?: (() => PoolState) | undefined;
}

/** In seconds. */
const BUCKETS = {
  rpc: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25],
  store: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  idp: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
};

/** Stands for every method that is not served. */
const OTHER_METHOD = 'other';

type StoreOperation = 'read' | 'write' | 'begin' | 'commit' | 'ping';
type StoreOutcome = 'ok' | 'failed';

export function createMetrics({ version, readPool }: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'claimgate_build_info',
    help: 'Always 1; the labels tell what runs.',
    labelNames: ['version', 'node_version'],
    aggregator: 'first',
    registers,
  }).set({ version, node_version: process.versions.node }, 1);
  const observeCall = createDurationHistogram({
    name: 'claimgate_rpc_duration_seconds',
    help: 'Time from the head of a call to its answer.',
    labelNames: ['method', 'code'],
    buckets: BUCKETS.rpc,
    registry,
  });
  const logins = new Counter({
    name: 'claimgate_logins_total',
    help: 'Logins that ended, by how, where and why.',
    labelNames: ['outcome', 'stage', 'reason'],
    registers,
  });
  const sessions = new Counter({
    name: 'claimgate_sessions_opened_total',
    help: 'Sessions that were opened, by a login or by a token.',
    labelNames: ['by'],
    registers,
  });
  const limits = new Counter({
    name: 'claimgate_rate_limit_refusals_total',
    help: 'Requests that a rate limit refused.',
    labelNames: ['limit'],
    registers,
  });
  const observeIdpRequest = createDurationHistogram({
    name: 'claimgate_idp_request_duration_seconds',
    help: 'Time of a request to an identity provider.',
    labelNames: ['request', 'outcome'],
    buckets: BUCKETS.idp,
    registry,
  });
  const observeStore = createDurationHistogram({
    name: 'claimgate_store_duration_seconds',
    help: 'Time of an operation of the store.',
    labelNames: ['operation', 'outcome'],
    buckets: BUCKETS.store,
    registry,
  });
  if (readPool !== undefined) addPool(registry, readPool);

  return {
    registry,
    observeCall: ({ method = OTHER_METHOD, code, durationMs }) =>
      observeCall(method, code, durationMs / 1000),
    observeLogin({ outcome, stage, code }) {
      if (stage !== undefined) logins.inc({ outcome, stage, reason: code });
      if (outcome === 'admitted') sessions.inc({ by: stage === undefined ? 'token' : 'login' });
    },
    async watchIdpRequest(request, send) {
      const startedAt = performance.now();
      const note = (outcome: 'ok' | 'refused' | 'failed'): void =>
        observeIdpRequest(request, outcome, secondsSince(startedAt));
      try {
        const response = await send();
        note(response.ok ? 'ok' : 'refused');
        return response;
      } catch (error) {
        note('failed');
        throw error;
      }
    },
    storeWatcher: createStoreWatcher(observeStore),
    noteRefusedByLimit: (limit) => limits.inc({ limit }),
  };
}

function createStoreWatcher(
  note: (operation: StoreOperation, outcome: StoreOutcome, seconds: number) => void,
): StoreWatcher {
  const measure = async <Result>(
    operation: StoreOperation,
    run: () => Promise<Result>,
    startedAt = performance.now(),
  ): Promise<Result> => {
    try {
      const result = await run();
      note(operation, 'ok', secondsSince(startedAt));
      return result;
    } catch (error) {
      note(operation, judgeFailure(error), secondsSince(startedAt));
      throw error;
    }
  };
  return {
    read(_method, run) {
      const startedAt = performance.now();
      try {
        const result = run();
        if (result instanceof Promise) return measure('read', () => result, startedAt);
        note('read', 'ok', secondsSince(startedAt));
        return result;
      } catch (error) {
        note('read', judgeFailure(error), secondsSince(startedAt));
        throw error;
      }
    },
    ping: (run) => measure('ping', run),
    async transaction(run) {
      const startedAt = performance.now();
      let workedAt: number | undefined;
      const result = await measure('write', () =>
        run((moment) => {
          if (moment === 'begun') note('begin', 'ok', secondsSince(startedAt));
          else workedAt = performance.now();
        }),
      );
      if (workedAt !== undefined) note('commit', 'ok', secondsSince(workedAt));
      return result;
    },
  };
}

/** That a caller is refused, for which the work of a transaction fails, is no failure of the store. */
function judgeFailure(error: unknown): StoreOutcome {
  return error instanceof DomainError && !isOurFailing(error) ? 'ok' : 'failed';
}

function addPool(registry: Registry, readPool: () => PoolState): void {
  const connections = new Gauge({
    name: 'claimgate_postgres_connections',
    help: 'Connections for transactions.',
    labelNames: ['state'],
    registers: [],
    collect() {
      const { size, idle } = readPool();
      this.set({ state: 'idle' }, idle);
      this.set({ state: 'used' }, size - idle);
    },
  });
  const max = new Gauge({
    name: 'claimgate_postgres_connections_max',
    help: 'Connections for transactions that there may be.',
    registers: [],
    collect() {
      this.set(readPool().max);
    },
  });
  const waiting = new Gauge({
    name: 'claimgate_postgres_waiting_transactions',
    help: 'Transactions that wait for a connection.',
    registers: [],
    collect() {
      this.set(readPool().waiting);
    },
  });
  for (const gauge of [connections, max, waiting]) registry.registerMetric(gauge);
}

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / 1000;
}
