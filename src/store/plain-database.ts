/**
 * Owns what the operator's commands ask of a database: one connection, statements that both databases understand, and
 * the few that they do not. Commands work on tables as they are; what a row means is for the store's queries.
 */

export type Value = string | number | null;
export type Row = Readonly<Record<string, Value>>;

export interface PlainDatabase {
  readonly kind: 'sqlite' | 'postgres';
  /** For people: an absolute path, or the address without credentials. */
  readonly name: string;
  /** The rows of a statement, with `?` where the parameters go. */
  all(sql: string, parameters?: readonly Value[]): Promise<readonly Row[]>;
  /** Resolves to how many rows it has changed. */
  run(sql: string, parameters?: readonly Value[]): Promise<number>;
  /**
   * One at a time, and nothing else on this connection meanwhile. Rolls back when the work fails. Where servers cross it,
   * it is done again.
   */
  transaction<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Sorted; empty when there is no such table. */
  listColumns(table: string): Promise<readonly string[]>;
  listTables(): Promise<readonly string[]>;
  /** Rows that have these columns, all of them. */
  insert(table: string, columns: readonly string[], rows: readonly Row[]): Promise<void>;
  /** For a copy: a commit may reach the disk after it is acknowledged, those after one another in their order. */
  hurry(): Promise<void>;
  /** The next commit reaches the disk before it is acknowledged, and all before it. */
  settle(): Promise<void>;
  /**
   * Takes away what makes inserting slow and is as well made at the end: indexes and references, not primary keys.
   * Resolves to the statements that bring it back.
   */
  dropIndexes(): Promise<readonly string[]>;
  /** Takes all rows out of these tables, of which each refers to others of them alone. */
  empty(tables: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** A statement that gives one number. */
export async function readNumber(database: PlainDatabase, sql: string): Promise<number> {
  const [row = {}] = await database.all(sql);
  return Number(Object.values(row)[0] ?? 0);
}

/** What a command will not do to this store, or with it. The message says why, and what to do instead. */
export class StoreRefusal extends Error {
  override readonly name = 'StoreRefusal';
}
