/** Owns what every query is given, and the two things that queries do in one way only: prepare and lock. */
import type { Compilable, CompiledQuery, Kysely, QueryResult, SelectQueryBuilder } from 'kysely';
import type { Keyring } from './keyring.ts';
import type { Database, StoreLockName } from './schema.ts';

export interface SqlSession {
  /** The pool, or one transaction. */
  readonly db: Kysely<Database>;
  readonly keyring: Keyring;
  /** False where transactions run one after another, so that there is nothing to lock. */
  readonly locksRows: boolean;
  /** For queries that are run often: building and compiling takes several times as long as running. */
  readonly run: RunQuery;
}

/** A query with anything in the place of its parameters. It is built once, so it must depend on nothing. */
export type FixedQuery<Row> = (db: Kysely<Database>) => Compilable<Row>;

/** An array is for PostgreSQL alone. */
type Parameter = string | number | null | readonly string[];

/** Takes the parameters in the order of the query's text. */
export type RunQuery = <Row>(
  query: FixedQuery<Row>,
  ...parameters: readonly Parameter[]
) => Promise<readonly Row[]>;

/** Runs a query that has been compiled. */
export type ExecuteQuery = <Row>(query: CompiledQuery<Row>) => Promise<QueryResult<Row>>;

/** Compiles each query once. All that it runs must be of one database. */
export function createQueryRunner(db: Kysely<Database>): (execute: ExecuteQuery) => RunQuery {
  const compiled = new Map<unknown, CompiledQuery>();
  const compile = <Row>(query: FixedQuery<Row>): CompiledQuery<Row> => {
    // What is kept under a query is of its own type.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const known = compiled.get(query) as CompiledQuery<Row> | undefined;
    if (known !== undefined) return known;
    const made = query(db).compile();
    compiled.set(query, made);
    return made;
  };
  return (execute) =>
    async <Row>(query: FixedQuery<Row>, ...parameters: readonly Parameter[]) => {
      const { rows } = await execute<Row>({ ...compile(query), parameters });
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
