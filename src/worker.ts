/**
 * Owns what a worker process has to do with its primary (`workers.ts`): it takes connections from it, says that it
 * serves, and ends when it is told to. When the primary dies, Node ends its workers.
 */
import cluster from 'node:cluster';
import { Socket } from 'node:net';

import type { StartedServer } from './start-message.ts';
import { readPrimaryMessage } from './worker-messages.ts';
import type { WorkerMessage } from './worker-messages.ts';

/** This process's number among the workers; `undefined` in the primary. */
export const workerId: number | undefined = cluster.worker?.id;

/** Calls `take` with each connection that the primary gives to this worker. */
export function receiveConnections(take: (socket: Socket) => void): void {
  process.on('message', (message: unknown, handle: unknown) => {
    const told = readPrimaryMessage(message);
    if (told?.type !== 'connection') return;
    // A connection that its peer has closed on the way comes without itself.
    if (handle instanceof Socket) take(handle);
    tell({ type: 'taken', id: told.id });
  });
}

export function announceStart({ url, bootstrapped }: StartedServer): void {
  tell({ type: 'started', server: { url, bootstrapped } });
}

/**
 * Resolves when the primary wants this worker to end. SIGTERM alone only makes it ask for that, because connections may
 * be on their way to it; SIGINT comes from a terminal, which sends it to the primary as well.
 */
export async function waitForStop(): Promise<string> {
  return new Promise((resolve) => {
    process.on('SIGINT', () => {});
    process.on('SIGTERM', () => tell({ type: 'leaving' }));
    process.on('message', (message: unknown) => {
      const told = readPrimaryMessage(message);
      if (told?.type === 'stop') resolve(told.type);
    });
  });
}

/** When there is nothing left to do: the channel to the primary no longer keeps this process alive. */
export function leavePrimary(): void {
  process.channel?.unref();
}

function tell(message: WorkerMessage): void {
  process.send?.(message);
}
