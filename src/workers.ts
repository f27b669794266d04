/**
 * Owns several processes on one port, as their primary: it has the port, starts the workers, gives them connections in
 * turn, replaces one that dies and ends them together. What they serve is not its business, and what a worker does is
 * in `worker.ts`.
 *
 * Node's own sharing of a port in a cluster is not used: it cannot stop accepting before the workers stop, and resets
 * the connections that come between.
 */
import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';

import type { StartedServer } from './start-message.ts';
import { readWorkerMessage } from './worker-messages.ts';
import type { PrimaryMessage } from './worker-messages.ts';

/** Between the death of a worker and its replacement, so that one that cannot start does not keep a core busy. */
const REPLACEMENT_DELAY_MS = 1000;
/** Connections that no worker has taken. More are refused. */
const MAX_UNTAKEN = 1000;

export interface Workers {
  /** What the first worker told, which found the database as it was. */
  readonly server: StartedServer;
  /**
   * Accepts no more connections and lets all workers finish their calls; `graceMs` after the call, those that are left
   * are killed. Fails when one did not end as it should.
   */
  readonly stop: (graceMs: number) => Promise<void>;
}

export interface WorkersOptions {
  /** At least 1. */
  readonly count: number;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/**
 * Resolves when all workers serve.
 *
 * @throws the system's error when the port cannot be had, or one that says that a worker, which has said why itself, does
 *   not serve; nothing is left then.
 */
export async function startWorkers({
  count,
  host,
  port,
  logger,
}: WorkersOptions): Promise<Workers> {
  /** Those that live. */
  const workers = new Set<Worker>();
  /** Those that take connections; the next one first. */
  const turns = new Set<Worker>();
  /** Connections that no worker has yet said to have taken, by number. */
  const untaken = new Map<number, { readonly socket: Socket; worker: Worker | undefined }>();
  let connections = 0;
  let isServing = false;
  let isStopping = false;

  /** What a worker that dies has not taken, another one gets. */
  const give = (): void => {
    for (const [id, connection] of untaken) {
      const [worker] = turns;
      if (worker === undefined) return;
      if (connection.worker !== undefined) continue;
      turns.delete(worker);
      turns.add(worker);
      connection.worker = worker;
      send(worker, { type: 'connection', id }, connection.socket);
    }
  };

  const endTurnsOf = (worker: Worker): void => {
    turns.delete(worker);
    for (const connection of untaken.values())
      if (connection.worker === worker) connection.worker = undefined;
    give();
  };

  const listener = createServer({ pauseOnConnect: true }, (socket) => {
    // It is not read here, and whoever takes it learns of its end.
    socket.on('error', () => {});
    connections += 1;
    untaken.set(connections, { socket, worker: undefined });
    give();
  });
  // It counts those alone that are still here.
  listener.maxConnections = MAX_UNTAKEN;
  const env = { CLAIMGATE_PORT: String(await listen(listener, host, port)) };
  listener.on('error', (error) => logger.error({ err: error }, 'accept'));

  const startWorker = async (): Promise<StartedServer> => {
    const worker = cluster.fork(env);
    workers.add(worker);
    // Such as a message to one that has just died: its exit says all there is to say.
    worker.on('error', (error) => logger.warn({ err: error, worker: worker.id }, 'worker'));
    const { promise, resolve, reject } = Promise.withResolvers<StartedServer>();
    worker.on('message', (message: unknown) => {
      const told = readWorkerMessage(message);
      if (told?.type === 'started') {
        turns.add(worker);
        give();
        resolve(told.server);
      } else if (told?.type === 'taken') {
        // The worker has the connection; this closes what is left of it here.
        untaken.get(told.id)?.socket.destroy();
        untaken.delete(told.id);
      } else if (told?.type === 'leaving') {
        turns.delete(worker);
        send(worker, { type: 'stop' });
      }
    });
    worker.once('exit', (exitCode: number | null, signal: string | null) => {
      workers.delete(worker);
      endTurnsOf(worker);
      reject(new Error('A worker process ended before it served.'));
      if (isServing && !isStopping) {
        logger.error({ worker: worker.id, exitCode, signal }, 'worker ended');
        // One that cannot start ends as well, and so comes back here.
        void replace();
      }
    });
    const server = await promise;
    logger.info({ worker: worker.id, pid: worker.process.pid }, 'worker started');
    return server;
  };

  async function replace(): Promise<void> {
    await setTimeout(REPLACEMENT_DELAY_MS);
    if (!isStopping) await startWorker().catch(() => {});
  }

  /** Resolves to the workers' exit codes, `null` for those that a signal ended. */
  const endAll = async (graceMs: number): Promise<readonly (number | null)[]> => {
    isStopping = true;
    listener.close();
    // Connections that the kernel has accepted already would be reset; one turn takes them in.
    await new Promise((resolve) => setImmediate(resolve));
    const exitCodes = await Promise.all([...workers].map((worker) => endWorker(worker, graceMs)));
    for (const { socket } of untaken.values()) socket.destroy();
    return exitCodes;
  };

  try {
    // The first alone: it makes the database and its key where they are not there, or says what is wrong with them.
    const server = await startWorker();
    await Promise.all(Array.from({ length: count - 1 }, startWorker));
    isServing = true;
    return {
      server,
      async stop(graceMs) {
        const exitCodes = await endAll(graceMs);
        if (exitCodes.some((exitCode) => exitCode !== 0))
          throw new Error(`Worker processes ended with ${exitCodes.join(', ')}`);
      },
    };
  } catch (error) {
    await endAll(0);
    throw error;
  }
}

async function listen(listener: Server, host: string, port: number): Promise<number> {
  listener.listen({ host, port });
  await once(listener, 'listening');
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('There is no port.');
  return address.port;
}

async function endWorker(worker: Worker, graceMs: number): Promise<number | null> {
  const ended = new Promise<number | null>((resolve) => {
    worker.once('exit', (exitCode: number | null) => resolve(exitCode));
  });
  // It comes after the connections that were given away before.
  send(worker, { type: 'stop' });
  const timer = globalThis.setTimeout(() => worker.process.kill('SIGKILL'), graceMs);
  const exitCode = await ended;
  clearTimeout(timer);
  return exitCode;
}

/** To a worker that has just died, it does nothing. */
function send(worker: Worker, message: PrimaryMessage, socket?: Socket): void {
  if (worker.isConnected()) worker.send(message, socket, { keepOpen: true });
}
