/**
 * Owns the sharing of connections: those of transactions, each lent to one at a time, and those of single reads, which
 * travel together. Both are opened when they are needed and not before. Nobody waits longer than their deadline.
 */
import type { PoolState } from '../domain/observation.ts';
import type { PostgresConnection, Statement, StatementResult } from './postgres-connection.ts';
import { endsConnection, PostgresError } from './postgres-errors.ts';
import type { PrimaryConnector } from './postgres-primary.ts';

export interface TransactionPool {
  /** Lends a connection. @param deadline by `performance.now()` */
  acquire(deadline: number): Promise<PostgresConnection>;
  /** Takes it back, or ends it when it is of no more use. */
  release(connection: PostgresConnection, isUsable: boolean): void;
  readState(): PoolState;
  /** Waits for what is lent, then ends all. */
  close(): Promise<void>;
}

export interface ReadLanes {
  /** Sends a statement that stands alone and may be done twice. */
  query(statement: Statement, deadline: number): Promise<StatementResult>;
  /** Waits for what has been asked, then ends all. */
  close(): Promise<void>;
}

interface Waiter {
  readonly give: (connection: PostgresConnection) => void;
  readonly fail: (error: unknown) => void;
}

interface Lane {
  connection: PostgresConnection | undefined;
  connecting: Promise<PostgresConnection> | undefined;
  /** Answers that are still to come. */
  pending: number;
}

/** So many answers to come are little for a connection. */
const LITTLE = 16;

/** In milliseconds. */
const CLOSE_POLL = 10;

export function createTransactionPool(primary: PrimaryConnector, max: number): TransactionPool {
  const idle: PostgresConnection[] = [];
  const waiters = new Set<Waiter>();
  /** Lent, idle and on their way. */
  let count = 0;
  let closed = false;

  const serveNext = (connection: PostgresConnection): void => {
    const [waiter] = waiters;
    if (waiter === undefined) {
      idle.push(connection);
      return;
    }
    waiters.delete(waiter);
    waiter.give(connection);
  };

  /** Opens one for whoever waits longest, who need not be who asked for it. */
  const open = async (): Promise<void> => {
    count += 1;
    try {
      serveNext(await primary.connect());
    } catch (error) {
      count -= 1;
      const [waiter] = waiters;
      if (waiter === undefined) return;
      waiters.delete(waiter);
      waiter.fail(error);
    }
  };

  const drop = (connection: PostgresConnection): void => {
    count -= 1;
    connection.end();
  };

  return {
    acquire(deadline) {
      if (closed) return Promise.reject(createClosedError());
      for (let next = idle.pop(); next !== undefined; next = idle.pop()) {
        if (primary.isTrusted(next)) return Promise.resolve(next);
        drop(next);
      }
      const waiting = waitForTurn(waiters, deadline);
      if (count < max) void open();
      return waiting;
    },
    release(connection, isUsable) {
      if (!isUsable) primary.doubt(connection);
      if (isUsable && primary.isTrusted(connection)) {
        serveNext(connection);
        return;
      }
      drop(connection);
      if (waiters.size > 0 && count < max) void open();
    },
    readState: () => ({ size: count, idle: idle.length, waiting: waiters.size, max }),
    async close() {
      closed = true;
      // What is lent comes back by its deadline.
      await waitUntil(() => waiters.size === 0 && count === idle.length);
      for (const connection of idle.splice(0)) connection.end();
      count = 0;
    },
  };
}

export function createReadLanes(primary: PrimaryConnector, width: number): ReadLanes {
  const lanes = Array.from({ length: width }, (): Lane => ({
    connection: undefined,
    connecting: undefined,
    pending: 0,
  }));
  let closed = false;

  const connect = (lane: Lane): Promise<PostgresConnection> => {
    // What it has been asked, it still answers.
    lane.connection?.end();
    lane.connection = undefined;
    lane.connecting ??= primary
      .connect()
      .then((connection) => (lane.connection = connection))
      .finally(() => (lane.connecting = undefined));
    return lane.connecting;
  };

  const ask = async (statement: Statement, deadline: number): Promise<StatementResult> => {
    const lane = chooseLane(lanes);
    lane.pending += 1;
    try {
      const connection =
        lane.connection !== undefined && primary.isTrusted(lane.connection)
          ? lane.connection
          : await raceDeadline(connect(lane), deadline);
      try {
        return await connection.query(statement, deadline);
      } catch (error) {
        if (endsConnection(error)) {
          primary.doubt(connection);
          connection.end();
        }
        throw error;
      }
    } finally {
      lane.pending -= 1;
    }
  };

  return {
    query(statement, deadline) {
      return closed ? Promise.reject(createClosedError()) : ask(statement, deadline);
    },
    async close() {
      closed = true;
      await waitUntil(() => lanes.every(({ pending }) => pending === 0));
      for (const lane of lanes) {
        lane.connection?.end();
        lane.connecting?.then(
          (connection) => connection.end(),
          () => {},
        );
      }
    },
  };
}

/** The first with little to do, so that what is asked travels together; else the one with the least. */
function chooseLane(lanes: readonly Lane[]): Lane {
  return (
    lanes.find(({ pending }) => pending < LITTLE) ??
    lanes.reduce((best, lane) => (lane.pending < best.pending ? lane : best))
  );
}

function waitForTurn(waiters: Set<Waiter>, deadline: number): Promise<PostgresConnection> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => {
        waiters.delete(waiter);
        reject(new PostgresError('overloaded', 'no connection became free in time'));
      },
      Math.max(0, deadline - performance.now()),
    );
    const waiter: Waiter = {
      give(connection) {
        clearTimeout(timer);
        resolve(connection);
      },
      fail(error) {
        clearTimeout(timer);
        reject(error);
      },
    };
    waiters.add(waiter);
  });
}

async function raceDeadline<Result>(promise: Promise<Result>, deadline: number): Promise<Result> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new PostgresError('silent', 'no connection was made in time')),
    Math.max(0, deadline - performance.now()),
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function waitUntil(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, CLOSE_POLL));
}

function createClosedError(): PostgresError {
  return new PostgresError('closed', 'the store has been closed');
}
