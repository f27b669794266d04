/**
 * Owns backups: one SQLite file, whatever database the store is on, with everything but the encryption keys. It has its
 * name only once it is whole, checked and on the disk.
 */
import { link, rename, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import type { Config, DatabaseConfig } from '../config.ts';
import { COPIED_TABLES } from '../store/copied-tables.ts';
import type { CopiedTable } from '../store/copied-tables.ts';
import { copyStore, countTable, hasUnfinishedCopy } from '../store/copy-store.ts';
import { StoreRefusal } from '../store/plain-database.ts';
import type { PlainDatabase } from '../store/plain-database.ts';
import { checkIntegrity, makePlainSqlite, openPlainSqlite } from '../store/plain-sqlite.ts';
import { createPrivateFile } from '../store/sqlite-connections.ts';
import { copyPages } from '../store/sqlite-backup.ts';
import { readSchema, refuseNewerSchema, requireCurrentSchema } from '../store/store-schema.ts';
import { countSecrets } from '../store/stored-secrets.ts';
import { syncFile, syncFolder } from '../store/sync-path.ts';
import { readSystemCode } from '../store/system-code.ts';
import { nameTemporary, removeDatabase } from './files.ts';
import { findKeys, openPlain } from './open-plain.ts';
import type { NoteProgress } from './progress.ts';

export interface BackupReport {
  readonly file: string;
  readonly bytes: number;
  /** The database that it is of. */
  readonly source: string;
  /** The last migration. */
  readonly schema: string;
  readonly rows: Readonly<Partial<Record<CopiedTable, number>>>;
  /** Keys that its secrets are under. They are not in it. */
  readonly encryptionKeyIds: readonly string[];
  /** Where the keys are, if they were found. */
  readonly encryptionKeysPlace: string | undefined;
}

/** Fails with `StoreRefusal`, `StoreOpenError`, or what the file system says. */
export async function backUpStore(
  config: Pick<Config, 'database' | 'encryptionKeys'>,
  { file: path, force }: { readonly file: string; readonly force: boolean },
  onProgress: NoteProgress,
): Promise<BackupReport> {
  const file = resolve(path);
  const folder = dirname(file);
  if (!force) await refuseExisting(file);
  const temporary = nameTemporary(file);
  try {
    await createPrivateFile(temporary);
    const source = await writeTo(temporary, config.database, onProgress);
    const summary = await seal(temporary);
    await syncFile(temporary);
    if (force) await rename(temporary, file);
    else await linkAnew(temporary, file);
    await syncFolder(folder);
    const keys = await findKeys(config, [config.database]);
    const { size } = await stat(file);
    return {
      file,
      bytes: size,
      source,
      ...summary,
      encryptionKeysPlace: keys?.place,
    };
  } finally {
    await removeDatabase(temporary);
  }
}

/** Resolves to what the database is called. */
function writeTo(
  temporary: string,
  database: DatabaseConfig,
  onProgress: NoteProgress,
): Promise<string> {
  return database.kind === 'sqlite'
    ? writePages(temporary, database.file, onProgress)
    : writeRows(temporary, database, onProgress);
}

async function writePages(
  temporary: string,
  file: string,
  onProgress: NoteProgress,
): Promise<string> {
  const source = await openPlainSqlite(file, 'beside');
  try {
    refuseNewerSchema(source.name, await readSchema(source));
    await refuseUnfinished(source);
    await copyPages(source, temporary, (done, total) =>
      onProgress({ what: 'copying', done, total, unit: 'pages' }),
    );
    return source.name;
  } finally {
    await source.close();
  }
}

async function writeRows(
  temporary: string,
  database: DatabaseConfig,
  onProgress: NoteProgress,
): Promise<string> {
  const source = await openPlain(database, 'beside', true);
  try {
    requireCurrentSchema(source.name, await readSchema(source));
    await refuseUnfinished(source);
    const target = await makePlainSqlite(temporary);
    try {
      await copyStore(source, target, {
        onProgress: ({ phase, done, total }) =>
          onProgress({ what: phase, done, total, unit: 'rows' }),
      });
    } finally {
      await target.close();
    }
    return source.name;
  } finally {
    await source.close();
  }
}

async function refuseUnfinished(source: PlainDatabase): Promise<void> {
  if (!(await hasUnfinishedCopy(source))) return;
  throw new StoreRefusal(`${source.name} holds an unfinished copy. Finish that one first.`);
}

/** Makes it one file without a log beside it, and looks whether it is whole. */
async function seal(file: string) {
  const backup = await openPlainSqlite(file, 'alone');
  try {
    backup.database.exec('PRAGMA journal_mode = DELETE');
    checkIntegrity(backup);
    const { version } = await readSchema(backup);
    const tables = new Set(await backup.listTables());
    const rows: Partial<Record<CopiedTable, number>> = {};
    for (const table of COPIED_TABLES) {
      if (tables.has(table)) rows[table] = await countTable(backup, table);
    }
    const uses = await countSecrets(backup);
    const encryptionKeyIds = [...new Set(uses.map(({ keyId }) => keyId))].toSorted();
    return { schema: version, rows, encryptionKeyIds };
  } finally {
    await backup.close();
  }
}

async function refuseExisting(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found !== undefined) throw createExistsError(file);
}

/** Unlike renaming, it never replaces. */
async function linkAnew(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    throw readSystemCode(error) === 'EEXIST' ? createExistsError(to) : error;
  }
}

function createExistsError(file: string): StoreRefusal {
  return new StoreRefusal(
    `The file ${file} is there already. Choose another name, or add --force.`,
  );
}
