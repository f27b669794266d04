/** Owns how the schema of a database that a command has opened compares with the one that this code knows. */
import { MIGRATION_TABLE } from './migrate.ts';
import { KNOWN_MIGRATIONS } from './migrations/known-migrations.ts';
import { StoreRefusal } from './plain-database.ts';
import type { PlainDatabase } from './plain-database.ts';

export interface StoreSchema {
  readonly state: 'current' | 'older' | 'newer' | 'none';
  /** The last migration, or an empty text. */
  readonly version: string;
}

export async function readSchema(database: PlainDatabase): Promise<StoreSchema> {
  if (!(await database.listTables()).includes(MIGRATION_TABLE))
    return { state: 'none', version: '' };
  const rows = await database.all(`select name from ${MIGRATION_TABLE} order by name`);
  const done = new Set(rows.map(({ name }) => String(name)));
  const known = KNOWN_MIGRATIONS.map(({ name }) => name);
  const version = [...done].at(-1) ?? '';
  if ([...done].some((name) => !known.includes(name))) return { state: 'newer', version };
  return { state: known.every((name) => done.has(name)) ? 'current' : 'older', version };
}

export const CURRENT_VERSION: string = KNOWN_MIGRATIONS.at(-1)?.name ?? '';

/** Fails with `StoreRefusal` for what a newer version has made, and for what no version has. */
export function refuseNewerSchema(name: string, { state, version }: StoreSchema): void {
  if (state === 'newer') {
    throw new StoreRefusal(
      `${name} was made by a newer version of Claimgate: its schema is ${version}, and this version knows ${CURRENT_VERSION}. Use that version or a later one.`,
    );
  }
  if (state === 'none') throw new StoreRefusal(`${name} holds no tables of Claimgate's.`);
}

/** As above, and for what an older version has made. */
export function requireCurrentSchema(name: string, schema: StoreSchema): void {
  refuseNewerSchema(name, schema);
  if (schema.state === 'current') return;
  throw new StoreRefusal(
    `${name} has the older schema ${schema.version}. Start and stop this version's "claimgate serve" on it once, which brings it up to date.`,
  );
}
