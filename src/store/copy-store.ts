/**
 * Owns copying a whole store into another database, of the same kind or the other, and the proof that both hold the
 * same. It refuses to own how databases are opened, and whether anybody uses them meanwhile.
 *
 * Rows go table by table in the order of their primary keys, in batches of some megabytes. Each batch is committed
 * together with how far the copy has come (`unfinished_copy`), so that one that was killed goes on where it stopped, and
 * no server starts on half a store.
 */
import { createHash } from 'node:crypto';
import { COPIED_TABLES, PRIMARY_KEYS } from './copied-tables.ts';
import type { CopiedTable } from './copied-tables.ts';
import { UNFINISHED_COPY_TABLE } from './migrate.ts';
import { readNumber, StoreRefusal } from './plain-database.ts';
import type { PlainDatabase, Row, Value } from './plain-database.ts';

export interface CopyProgress {
  readonly phase: 'copying' | 'verifying';
  readonly table: CopiedTable;
  /** Rows, of all tables together. */
  readonly done: number;
  readonly total: number;
}

export interface TableDigest {
  readonly table: CopiedTable;
  readonly rows: number;
  /** SHA-256 over all rows in the order of their primary keys, in hexadecimal digits. */
  readonly sha256: string;
}

export interface CopyReport {
  /** What is now on both sides. */
  readonly tables: readonly TableDigest[];
  /** Whether an earlier run had begun it. */
  readonly resumed: boolean;
}

export interface CopyOptions {
  readonly onProgress?: (progress: CopyProgress) => void;
  /** What the target holds is taken away first: all, or only what an unfinished copy has left. */
  readonly replace?: 'nothing' | 'unfinished' | 'everything';
}

/** How far a copy has come: everything up to this row is there. */
interface Position {
  readonly table: CopiedTable;
  readonly after: readonly Value[];
}

/** How much is read at a time: flat memory, whatever the size of rows. */
const BATCH = { firstRows: 100, maxRows: 2000, bytes: 1_000_000 } as const;

/** Copies all of it, and verifies it. Both databases are of this code's schema. Fails with `StoreRefusal`. */
export async function copyStore(
  source: PlainDatabase,
  target: PlainDatabase,
  options: CopyOptions = {},
): Promise<CopyReport> {
  await target.hurry();
  const start = await prepareTarget(source, target, options.replace ?? 'nothing');
  const total = await countRows(source);
  const meter = createMeter(options, total);
  const from = start === undefined ? 0 : COPIED_TABLES.indexOf(start.table);
  for (const table of COPIED_TABLES.slice(0, from)) {
    meter.advance('copying', table, await countTable(target, table));
  }
  for (const table of COPIED_TABLES.slice(from)) {
    const after = table === start?.table ? start.after : undefined;
    if (after !== undefined) meter.advance('copying', table, await countTable(target, table));
    await copyTable(source, target, table, after, (rows) => meter.advance('copying', table, rows));
  }
  const tables = await compareStores(source, target, options);
  await finish(target);
  return { tables, resumed: start !== undefined };
}

/** Whether no table has a row. */
export async function isStoreEmpty(database: PlainDatabase): Promise<boolean> {
  for (const table of COPIED_TABLES) {
    if ((await database.all(`select 1 as found from ${table} limit 1`)).length > 0) return false;
  }
  return true;
}

export async function hasUnfinishedCopy(database: PlainDatabase): Promise<boolean> {
  return (await database.listTables()).includes(UNFINISHED_COPY_TABLE);
}

/** Digests of every table, the same on both sides, or `StoreRefusal`. */
export async function compareStores(
  source: PlainDatabase,
  target: PlainDatabase,
  options: Pick<CopyOptions, 'onProgress'> = {},
): Promise<readonly TableDigest[]> {
  const meter = createMeter(options, 2 * (await countRows(source)));
  const digests: TableDigest[] = [];
  for (const table of COPIED_TABLES) {
    const note = (rows: number): void => meter.advance('verifying', table, rows);
    const wanted = await digestTable(source, table, note);
    const found = await digestTable(target, table, note);
    if (wanted.sha256 !== found.sha256) {
      throw new StoreRefusal(
        `The copy is not what the source holds: ${table} has ${wanted.rows} rows there and ${found.rows} here, or rows that differ. The source has changed since the copy began; begin anew with --restart.`,
      );
    }
    digests.push(wanted);
  }
  return digests;
}

/** Resolves to where an unfinished copy stopped, or has one begun. */
async function prepareTarget(
  source: PlainDatabase,
  target: PlainDatabase,
  replace: NonNullable<CopyOptions['replace']>,
): Promise<Position | undefined> {
  const unfinished = await hasUnfinishedCopy(target);
  if (unfinished && replace === 'nothing') return readPosition(source, target);
  const mayEmpty = replace === 'everything' || (unfinished && replace === 'unfinished');
  if (!mayEmpty && !(await isStoreEmpty(target))) {
    throw new StoreRefusal(
      `The database ${target.name} holds data already. Use an empty one: a server that was started on it once has made an organization there.`,
    );
  }
  await target.transaction(async () => {
    if (mayEmpty) await target.empty(COPIED_TABLES);
    if (!unfinished) await target.run(CREATE_MARK);
    const dropped = [
      ...(unfinished ? await readDropped(target) : []),
      ...(await target.dropIndexes()),
    ];
    await target.run(`delete from ${UNFINISHED_COPY_TABLE}`);
    await target.run(`insert into ${UNFINISHED_COPY_TABLE} (source, dropped) values (?, ?)`, [
      source.name,
      JSON.stringify(dropped),
    ]);
  });
  return undefined;
}

const CREATE_MARK = `create table ${UNFINISHED_COPY_TABLE} (source text not null, position text, dropped text not null)`;

/** The statements that bring the indexes back. */
async function readDropped(target: PlainDatabase): Promise<readonly string[]> {
  const [row] = await target.all(`select dropped from ${UNFINISHED_COPY_TABLE}`);
  return JSON.parse(String(row?.['dropped'] ?? '[]'));
}

/** Brings back what was dropped, and lets servers start on it: both or neither. */
async function finish(target: PlainDatabase): Promise<void> {
  // The copy is done when all of it is on the disk.
  await target.settle();
  const dropped = await readDropped(target);
  await target.transaction(async () => {
    for (const statement of dropped) await target.run(statement);
    await target.run(`drop table ${UNFINISHED_COPY_TABLE}`);
  });
  if (target.kind === 'postgres') await target.run('analyze');
}

async function readPosition(
  source: PlainDatabase,
  target: PlainDatabase,
): Promise<Position | undefined> {
  const [row] = await target.all(`select source, position from ${UNFINISHED_COPY_TABLE}`);
  if (row?.['source'] !== source.name) {
    throw new StoreRefusal(
      `The database ${target.name} holds an unfinished copy of ${String(row?.['source'])}. Finish that one, or begin anew with --restart.`,
    );
  }
  const position = row['position'] ?? null;
  return position === null ? undefined : JSON.parse(String(position));
}

/** Reads the next batch while the one before is being written. */
async function copyTable(
  source: PlainDatabase,
  target: PlainDatabase,
  table: CopiedTable,
  after: readonly Value[] | undefined,
  note: (rows: number) => void,
): Promise<void> {
  const columns = await listSharedColumns(source, target, table);
  let writing = Promise.resolve();
  for await (const { rows, last } of readBatches(source, table, columns, after)) {
    await writing;
    const position: Position = { table, after: last };
    writing = target.transaction(async () => {
      await target.insert(table, columns, rows);
      await target.run(`update ${UNFINISHED_COPY_TABLE} set position = ?`, [
        JSON.stringify(position),
      ]);
      note(rows.length);
    });
    // It is awaited in the next round; until then its failure is no surprise.
    writing.catch(() => {});
  }
  await writing;
}

/** Fails where the databases are not of the same schema, which whoever opened them should have seen. */
async function listSharedColumns(
  source: PlainDatabase,
  target: PlainDatabase,
  table: CopiedTable,
): Promise<readonly string[]> {
  const [columns, others] = [await source.listColumns(table), await target.listColumns(table)];
  if (columns.join() === others.join()) return columns;
  throw new Error(`${table} does not have the same columns in both databases`);
}

async function digestTable(
  database: PlainDatabase,
  table: CopiedTable,
  note: (rows: number) => void,
): Promise<TableDigest> {
  const hash = createHash('sha256');
  const columns = await database.listColumns(table);
  let count = 0;
  for await (const { rows } of readBatches(database, table, columns, undefined)) {
    for (const row of rows) {
      hash.update(JSON.stringify(columns.map((column) => row[column])));
    }
    count += rows.length;
    note(rows.length);
  }
  return { table, rows: count, sha256: hash.digest('hex') };
}

interface Batch {
  readonly rows: readonly Row[];
  /** The primary key of its last row. */
  readonly last: readonly Value[];
}

async function* readBatches(
  database: PlainDatabase,
  table: CopiedTable,
  columns: readonly string[],
  after: readonly Value[] | undefined,
): AsyncGenerator<Batch> {
  const keys = PRIMARY_KEYS[table];
  const names = columns.map((column) => `"${column}"`).join(', ');
  const order = keys.map((key) => `"${key}"`).join(', ');
  const places = keys.map(() => '?').join(', ');
  let limit: number = BATCH.firstRows;
  for (let last = after; ;) {
    const behind = last === undefined ? '' : `where (${order}) > (${places})`;
    const sql = `select ${names} from ${table} ${behind} order by ${order} limit ${limit}`;
    const rows = await database.all(sql, last);
    const end = rows.at(-1);
    if (end === undefined) return;
    last = keys.map((key) => end[key] ?? null);
    yield { rows, last };
    if (rows.length < limit) return;
    limit = chooseLimit(rows);
  }
}

/** As many rows as have the wanted size, if the next are as large as these. */
function chooseLimit(rows: readonly Row[]): number {
  let characters = 0;
  for (const row of rows) {
    for (const value of Object.values(row)) {
      characters += typeof value === 'string' ? value.length : 8;
    }
  }
  const wanted = Math.floor((BATCH.bytes * rows.length) / characters);
  // Some that are small say little of those behind them.
  return Math.max(10, Math.min(wanted, BATCH.maxRows, rows.length * 4));
}

async function countRows(database: PlainDatabase): Promise<number> {
  let sum = 0;
  for (const table of COPIED_TABLES) sum += await countTable(database, table);
  return sum;
}

export function countTable(database: PlainDatabase, table: CopiedTable): Promise<number> {
  return readNumber(database, `select count(*) as count from ${table}`);
}

function createMeter({ onProgress }: Pick<CopyOptions, 'onProgress'>, total: number) {
  let done = 0;
  return {
    advance(phase: CopyProgress['phase'], table: CopiedTable, rows: number): void {
      done += rows;
      onProgress?.({ phase, table, done, total });
    },
  };
}
