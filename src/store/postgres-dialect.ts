/**
 * Owns Kysely's dialects for PostgreSQL: one for single reads, one for transactions. They refuse to own connections
 * (`postgres-pool.ts`) and what errors mean (`postgres-errors.ts`).
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout } from 'node:timers/promises';
import { PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely';
import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult } from 'kysely';
import type { PostgresConnection, Statement, StatementResult } from './postgres-connection.ts';
import {
  endsConnection,
  findPostgresFailure,
  isPassing,
  PostgresError,
  translatePostgresError,
} from './postgres-errors.ts';
import type { ReadLanes, TransactionPool } from './postgres-pool.ts';

/**
 * For everything that one method of the store does, in milliseconds: getting a connection, all statements, and doing it
 * again.
 */
const OPERATION_TIMEOUT = 2500;

/** Before the second attempt and before the third, in milliseconds. */
const PAUSES = [20, 200] as const;

/** How many statements each connection keeps prepared. Lists of varying length make statements without number. */
const KEPT_STATEMENTS = 128;

/** By when the transaction of this call has to end. Kysely has no place for it between its call and its driver. */
const transactionDeadline = new AsyncLocalStorage<number>();

const READ_ONLY = {
  init: async () => {},
  // Whoever made the pool closes it.
  destroy: async () => {},
  releaseConnection: async () => {},
  beginTransaction: () => refuse('Reads that stand alone have no transactions'),
  commitTransaction: () => refuse('Reads that stand alone have no transactions'),
  rollbackTransaction: () => refuse('Reads that stand alone have no transactions'),
};

/** For statements that stand alone. What was lost on the way is asked again. */
export function createReadDialect(lanes: ReadLanes): Dialect {
  const name = createStatementNames();
  const connection = createConnection(async ({ sql, parameters }) => {
    const statement = { text: sql, values: parameters, name: name(sql) };
    return repeatWhilePassing((deadline) => lanes.query(statement, deadline));
  });
  return createDialect({ ...READ_ONLY, acquireConnection: async () => connection });
}

/** For transactions, run by `repeatTransaction` or `runUntil`. */
export function createTransactionDialect(
  pool: Pick<TransactionPool, 'acquire' | 'release'>,
): Dialect {
  const name = createStatementNames();
  const lent = new WeakMap<DatabaseConnection, LentConnection>();
  const getLent = (connection: DatabaseConnection): LentConnection => {
    const found = lent.get(connection);
    if (found === undefined) throw new Error('This connection is not of this dialect');
    return found;
  };
  return createDialect({
    ...READ_ONLY,

    async acquireConnection() {
      const deadline = transactionDeadline.getStore() ?? performance.now() + OPERATION_TIMEOUT;
      const wire = await translateFailure(pool.acquire(deadline));
      const own = lendConnection(wire, deadline);
      const connection = createConnection(({ sql, parameters }) =>
        own.ask({ text: sql, values: parameters, name: name(sql) }),
      );
      lent.set(connection, own);
      return connection;
    },

    async beginTransaction(connection) {
      const begin = 'begin isolation level read committed, read write';
      await translateFailure(getLent(connection).ask({ text: begin }));
    },

    async commitTransaction(connection) {
      await translateFailure(getLent(connection).commit());
    },

    async rollbackTransaction(connection) {
      const own = getLent(connection);
      // A connection that is gone has rolled back.
      if (own.isUsable()) await translateFailure(own.ask({ text: 'rollback' }));
    },

    async releaseConnection(connection) {
      const own = getLent(connection);
      pool.release(own.wire, own.isUsable());
    },
  });
}

/** Runs a transaction, and runs it again while what it failed with is likely to pass. */
export function repeatTransaction<Result>(transaction: () => Promise<Result>): Promise<Result> {
  return repeatWhilePassing((deadline) => runUntil(deadline, transaction));
}

/** Runs a transaction that fails when it has not ended by then. */
export function runUntil<Result>(
  deadline: number,
  transaction: () => Promise<Result>,
): Promise<Result> {
  return transactionDeadline.run(deadline, transaction);
}

interface LentConnection {
  readonly wire: PostgresConnection;
  ask(statement: Statement): Promise<StatementResult>;
  commit(): Promise<void>;
  /** Whether nothing has happened on it that ends it. */
  isUsable(): boolean;
}

function lendConnection(wire: PostgresConnection, deadline: number): LentConnection {
  let usable = true;
  const ask = async (statement: Statement): Promise<StatementResult> => {
    try {
      return await wire.query(statement, deadline);
    } catch (error) {
      if (endsConnection(error)) usable = false;
      throw error;
    }
  };
  return {
    wire,
    ask,
    async commit() {
      try {
        const { command } = await ask({ text: 'commit' });
        // A transaction in which a statement has failed is rolled back by its commit.
        if (command !== 'COMMIT') throw new PostgresError('other', 'the transaction had failed');
      } catch (error) {
        const failure = findPostgresFailure(error);
        if (failure !== 'lost' && failure !== 'silent') throw error;
        const message = error instanceof Error ? error.message : '';
        throw new PostgresError('undecided', `lost during commit: ${message}`);
      }
    },
    isUsable: () => usable && wire.isOpen(),
  };
}

function createConnection(
  ask: (query: CompiledQuery) => Promise<StatementResult>,
): DatabaseConnection {
  return {
    async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
      const { command, rowCount, rows: values } = await translateFailure(ask(query));
      // The shape of rows is what Kysely derived from the query.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const rows = values as Row[];
      const changes = command === 'INSERT' || command === 'UPDATE' || command === 'DELETE';
      return changes ? { rows, numAffectedRows: BigInt(rowCount ?? 0) } : { rows };
    },
    // eslint-disable-next-line require-yield
    async *streamQuery() {
      throw new Error('Nothing here is streamed: read pages');
    },
  };
}

/** The same text has the same name on every connection. */
function createStatementNames(): (sql: string) => string | undefined {
  const names = new Map<string, string>();
  return (sql) => {
    const known = names.get(sql);
    if (known !== undefined || names.size >= KEPT_STATEMENTS) return known;
    const name = `s${names.size}`;
    names.set(sql, name);
    return name;
  };
}

async function repeatWhilePassing<Result>(
  attempt: (deadline: number) => Promise<Result>,
): Promise<Result> {
  const deadline = performance.now() + OPERATION_TIMEOUT;
  for (const pause of PAUSES) {
    try {
      return await attempt(deadline);
    } catch (error) {
      if (!isPassing(error) || performance.now() + pause >= deadline) throw error;
    }
    await setTimeout(pause);
  }
  return attempt(deadline);
}

function createDialect(driver: Driver): Dialect {
  return {
    createDriver: () => driver,
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createAdapter: () => new UnlockedAdapter(),
    createIntrospector: (db) => new PostgresIntrospector(db),
  };
}

/** Kysely asks for a class. Its own locks for the session, and what it says on unlocking hides why migrating failed. */
class UnlockedAdapter extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}
}

async function translateFailure<Result>(doing: Promise<Result>): Promise<Result> {
  try {
    return await doing;
  } catch (error) {
    throw translatePostgresError(error);
  }
}

async function refuse(message: string): Promise<never> {
  throw new Error(message);
}
