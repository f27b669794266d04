/** Owns what every query is given, and the two things that queries do in one way only: prepare and lock. */
import type { Compilable, Kysely, SelectQueryBuilder } from 'kysely';
import type { Keyring } from './keyring.ts';
import type { Database, StoreLockName } from './schema.ts';

export interface SqlSession {
  /** The pool, or one transaction. */
  readonly db: Kysely<Database>;
  readonly keyring: Keyring;
  /** False where transactions run one after another, so that there is nothing to lock. */
  readonly locksRows: boolean;
}

/** Runs a query that was built and compiled once, with these parameters in the order of its text. */
export type PreparedQuery<Row> = (
  db: Kysely<Database>,
  ...parameters: readonly (string | number)[]
) => Promise<readonly Row[]>;

/** For queries of every request: building and compiling takes several times as long as running. */
export function prepareQuery<Row>(query: Compilable<Row>): PreparedQuery<Row> {
  const { sql, query: node, queryId } = query.compile();
  return async (db, ...parameters) => {
    const { rows } = await db.executeQuery<Row>({ sql, query: node, queryId, parameters });
    return rows;
  };
}

/**
 * Keeps other transactions from locking the row that the query reads.
 *
 * @param of for a query that joins: the one table whose row is meant
 */
export function lockRow<Table extends keyof Database, Row>(
  session: SqlSession,
  query: SelectQueryBuilder<Database, Table, Row>,
  of?: Table,
): SelectQueryBuilder<Database, Table, Row> {
  if (!session.locksRows) return query;
  return of === undefined ? query.forUpdate() : query.forUpdate(of);
}

/** Locks what is no row of its own. */
export async function lockByName(session: SqlSession, name: StoreLockName): Promise<void> {
  const query = session.db.selectFrom('store_lock').select('name').where('name', '=', name);
  await lockRow(session, query).execute();
}
