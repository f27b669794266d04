/**
 * Owns Kysely's dialect for `node:sqlite`: one connection, either for reading or for transactions that take turns.
 * It refuses to own how the connection was opened (`sqlite.ts`) and what its errors mean (`sqlite-errors.ts`).
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult } from 'kysely';
import { createGroupCommit } from './group-commit.ts';
import type { Turn } from './group-commit.ts';
import { runTranslated } from './sqlite-errors.ts';

/** How many statements a connection keeps prepared. Lists of varying length make statements without number. */
const KEPT_STATEMENTS = 256;

const TRANSACTIONLESS = {
  init: async () => {},
  // Whoever opened the database closes it.
  destroy: async () => {},
  beginTransaction: () => refuse('A reading connection has no transactions'),
  commitTransaction: () => refuse('A reading connection has no transactions'),
  rollbackTransaction: () => refuse('A reading connection has no transactions'),
};

interface PreparedStatement {
  readonly statement: StatementSync;
  /** Empty when the statement returns no rows. */
  readonly columns: readonly string[];
}

export interface TransactionDialect extends Dialect {
  /** Runs this after the transactions that were asked for before. */
  close(run: () => void): Promise<void>;
}

/** A connection for statements that stand alone. */
export function createReadingDialect(connection: DatabaseConnection): Dialect {
  return createDialect({
    ...TRANSACTIONLESS,
    acquireConnection: async () => connection,
    releaseConnection: async () => {},
  });
}

/**
 * A connection for transactions alone, which take turns and reach the disk together (`group-commit.ts`).
 *
 * @param waitMs how long a transaction waits for those before it and for other processes, until it is `unavailable`.
 */
export function createTransactionDialect(
  database: DatabaseSync,
  waitMs: number,
): TransactionDialect {
  const transactions = createGroupCommit(database);
  const plain = createConnection(database);
  const turns = new WeakMap<DatabaseConnection, Turn>();
  const turnOf = (connection: DatabaseConnection): Turn => {
    const turn = turns.get(connection);
    if (turn === undefined) throw new Error('This connection is of another database');
    return turn;
  };

  const dialect = createDialect({
    ...TRANSACTIONLESS,

    async acquireConnection() {
      const turn = await transactions.enter(waitMs);
      const connection: DatabaseConnection = {
        ...plain,
        async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
          // SQLite may roll back by itself, such as when the disk is full. What follows must not be done alone.
          if (!database.isTransaction) throw new Error('There is no transaction');
          const result = await plain.executeQuery<Row>(query);
          if (query.query.kind === 'DeleteQueryNode' && result.numAffectedRows !== 0n)
            turn.noteDeletion();
          return result;
        },
      };
      turns.set(connection, turn);
      return connection;
    },
    beginTransaction: (connection) => turnOf(connection).begin(),
    commitTransaction: (connection) => turnOf(connection).commit(),
    rollbackTransaction: (connection) => turnOf(connection).rollback(),
    releaseConnection: async (connection) => turnOf(connection).end(),
  });
  return { ...dialect, close: (run) => transactions.close(run) };
}

/** What runs one statement after another, each prepared once. */
export function createConnection(database: DatabaseSync): DatabaseConnection {
  const prepared = new Map<string, PreparedStatement>();

  const prepare = (sql: string): PreparedStatement => {
    const known = prepared.get(sql);
    if (known !== undefined) return known;
    const statement = database.prepare(sql);
    // Values as arrays, because objects made in JavaScript cost a third less than those that SQLite's binding makes.
    statement.setReturnArrays(true);
    const entry = { statement, columns: statement.columns().map(({ name }) => name) };
    const [oldest] = prepared.keys();
    if (prepared.size >= KEPT_STATEMENTS && oldest !== undefined) prepared.delete(oldest);
    prepared.set(sql, entry);
    return entry;
  };

  return {
    async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
      return runTranslated(() => {
        const { statement, columns } = prepare(query.sql);
        // SQLite itself refuses parameters that it cannot bind; the shape of rows is what Kysely derived from the query.
        /* oxlint-disable typescript/no-unsafe-type-assertion */
        const parameters = query.parameters as readonly SQLInputValue[];
        if (columns.length > 0) {
          const values = statement.all(...parameters) as unknown as readonly unknown[][];
          return { rows: values.map((row) => nameValues(columns, row) as Row) };
        }
        /* oxlint-enable typescript/no-unsafe-type-assertion */
        const { changes } = statement.run(...parameters);
        return { rows: [], numAffectedRows: BigInt(changes) };
      });
    },
    // eslint-disable-next-line require-yield
    async *streamQuery() {
      throw new Error('Nothing here is streamed: read pages');
    },
  };
}

/**
 * Prepares the asking for a number that changes with every commit of another connection, in this process or any other; a
 * reading connection has none of its own (https://www.sqlite.org/pragma.html#pragma_data_version).
 */
export function prepareVersion(reading: DatabaseSync): () => number {
  const statement = reading.prepare('PRAGMA data_version');
  statement.setReturnArrays(true);
  // As an array, whatever its type says; taking it apart in any other way takes as long as reading it.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const read = () => statement.get() as unknown as readonly [number];
  return () => runTranslated(read)[0];
}

function nameValues(columns: readonly string[], values: readonly unknown[]): object {
  const row: Record<string, unknown> = {};
  for (const [index, column] of columns.entries()) row[column] = values[index];
  return row;
}

function createDialect(driver: Driver): Dialect {
  return {
    createDriver: () => driver,
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new NodeSqliteAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  };
}

/** Kysely asks for a class. Its own for SQLite keeps definitions out of transactions, where SQLite has no need to. */
class NodeSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
  /** Turns are taken here, not by Kysely. */
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

async function refuse(message: string): Promise<never> {
  throw new Error(message);
}
