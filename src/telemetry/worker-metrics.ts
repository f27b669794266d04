/**
 * Owns the metrics of several processes together: each worker hands its own to the primary, which adds them up. The
 * library asks for them by messages of its own between the processes.
 */
import { AggregatorRegistry } from 'prom-client';
import type { Registry } from 'prom-client';

/** In a worker: lets the primary have its metrics. */
export function shareMetrics(registry: Registry): void {
  AggregatorRegistry.setRegistries(registry);
  void new AggregatorRegistry();
}

/** In the primary: those of all workers, in Prometheus' text format. Fails when one does not answer within 5 seconds. */
export function createWorkerMetricsReader(): () => Promise<string> {
  const all = new AggregatorRegistry();
  return () => all.clusterMetrics();
}
