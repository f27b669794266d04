// What is copied, and what is encrypted anew, must be all that there is.
import { expect, test } from 'vitest';
import { COPIED_TABLES, PRIMARY_KEYS } from '../../src/store/copied-tables.ts';
import { countTable } from '../../src/store/copy-store.ts';
import { makePlainSqlite } from '../../src/store/plain-sqlite.ts';
import { SEALED_COLUMNS, SEALED_TABLES } from '../../src/store/sealed-columns.ts';
import { fillSqliteStore } from '../operations/fill-store.ts';
import { createTemporaryFolder, TEST_KEYRING } from './sqlite-files.ts';

/** Not copied: what the migrations have made, and how far they have come. */
const MADE_BY_MIGRATIONS = new Set(['schema_migration', 'schema_migration_lock', 'store_lock']);

test('every table of the schema is copied, with the primary key that it has', async () => {
  await using folder = await createTemporaryFolder();
  const plain = await makePlainSqlite(folder.file);
  const tables = (await plain.listTables()).filter((table) => !MADE_BY_MIGRATIONS.has(table));
  expect(COPIED_TABLES.toSorted()).toEqual(tables);
  for (const table of tables) {
    const keys = await plain.all('select name from pragma_table_info(?) where pk > 0 order by pk', [
      table,
    ]);
    expect([table, PRIMARY_KEYS[table as (typeof COPIED_TABLES)[number]]]).toEqual([
      table,
      keys.map(({ name }) => name),
    ]);
  }
  await plain.close();
});

test('a table comes behind those that it refers to', async () => {
  await using folder = await createTemporaryFolder();
  const plain = await makePlainSqlite(folder.file);
  for (const [place, table] of COPIED_TABLES.entries()) {
    const parents = await plain.all('select "table" as parent from pragma_foreign_key_list(?)', [
      table,
    ]);
    const before = COPIED_TABLES.slice(0, place);
    expect(before).toEqual(expect.arrayContaining(parents.map(({ parent }) => parent)));
  }
  await plain.close();
});

test('every column that a key id stands beside is encrypted anew, from where it belongs', async () => {
  await using folder = await createTemporaryFolder();
  const plain = await makePlainSqlite(folder.file);
  for (const table of COPIED_TABLES) {
    const columns = await plain.listColumns(table);
    const sealed = SEALED_TABLES.find((one) => one === table);
    expect([table, columns.includes('key_id')]).toEqual([table, sealed !== undefined]);
    if (sealed === undefined) continue;
    const { column, placedBy } = SEALED_COLUMNS[sealed];
    expect(columns).toEqual(expect.arrayContaining([column, ...placedBy]));
  }
  await plain.close();
});

test('the store that the tests of copies begin with has rows in every table', async () => {
  await using folder = await createTemporaryFolder();
  await fillSqliteStore(folder.file, TEST_KEYRING, 1);
  const plain = await makePlainSqlite(folder.file);
  for (const table of COPIED_TABLES) {
    expect([table, await countTable(plain, table)]).not.toEqual([table, 0]);
  }
  await plain.close();
});
