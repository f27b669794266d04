/**
 * Serves `grpc.health.v1.Health`: https://github.com/grpc/grpc/blob/master/doc/health-checking.md. All services stand and
 * fall together, with the store and with the process; it refuses to say more of either than that.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { DescService } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';

import { HealthCheckResponse_ServingStatus as Status } from '../../gen/grpc/health/v1/health_pb.ts';
import type { Health } from '../../gen/grpc/health/v1/health_pb.ts';

export interface HealthSource {
  /** Resolves when calls can be served. May be asked at any rate. */
  readonly checkReadiness: () => Promise<void>;
  /** Aborted when the process begins to end. */
  readonly draining: () => AbortSignal;
}

/**
 * How often a watch looks, in milliseconds. With the age and the patience of `domain/readiness.ts`, those who watch
 * learn within 3 seconds that the store has stopped to write.
 */
const WATCH_INTERVAL_MS = 250;
/** The service is open to strangers, and a watch has no end. */
const MAX_WATCHES = 1_000;

/** @param services - those that can be asked for by name. */
export function createHealthService(
  { checkReadiness, draining }: HealthSource,
  services: readonly DescService[],
): ServiceImpl<typeof Health> {
  // The empty name asks for the server as a whole.
  const names = new Set(['', ...services.map((service) => service.typeName)]);
  const watches = new Set<AbortSignal>();

  const readStatus = async (): Promise<Status> => {
    if (draining().aborted) return Status.NOT_SERVING;
    return checkReadiness().then(
      () => Status.SERVING,
      () => Status.NOT_SERVING,
    );
  };

  return {
    async check({ service }) {
      if (!names.has(service)) throw new ConnectError('No such service.', Code.NotFound);
      return { status: await readStatus() };
    },

    async list() {
      const status = await readStatus();
      return { statuses: Object.fromEntries([...names].map((name) => [name, { status }])) };
    },

    async *watch({ service }, { signal }) {
      if (watches.size >= MAX_WATCHES) {
        throw new ConnectError(
          'There are too many watches. Call Check instead.',
          Code.ResourceExhausted,
        );
      }
      watches.add(signal);
      // A watch whose caller has gone may never be asked for more, and then it never comes to its end.
      signal.addEventListener('abort', () => watches.delete(signal), { once: true });
      try {
        const either = AbortSignal.any([signal, draining()]);
        let told: Status | undefined;
        while (!signal.aborted) {
          const status = names.has(service) ? await readStatus() : Status.SERVICE_UNKNOWN;
          if (status !== told) yield { status };
          told = status;
          // Those who watch look elsewhere then, and their connections can close.
          if (draining().aborted) return;
          await delay(WATCH_INTERVAL_MS, undefined, { signal: either }).catch(() => undefined);
        }
      } finally {
        watches.delete(signal);
      }
    },
  };
}
