/**
 * Owns putting a backup in the place of a store. The backup is checked before anything is touched; what comes of it has
 * its place only when it is whole: a SQLite file by its renaming, PostgreSQL by the mark that keeps servers from starting
 * on a part (`copy-store.ts`).
 */
import { existsSync } from 'node:fs';
import { chmod, chown, copyFile, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import type { Config, DatabaseConfig } from '../config.ts';
import { COPIED_TABLES } from '../store/copied-tables.ts';
import type { CopiedTable } from '../store/copied-tables.ts';
import { copyStore, countTable, hasUnfinishedCopy, isStoreEmpty } from '../store/copy-store.ts';
import { StoreRefusal } from '../store/plain-database.ts';
import type { PlainDatabase } from '../store/plain-database.ts';
import { checkIntegrity, openPlainSqlite } from '../store/plain-sqlite.ts';
import type { PlainSqlite } from '../store/plain-sqlite.ts';
import { createPrivateFile } from '../store/sqlite-connections.ts';
import { migrateSqlite } from '../store/sqlite.ts';
import { StoreOpenError } from '../store/store-open-error.ts';
import { readSchema, refuseNewerSchema } from '../store/store-schema.ts';
import type { StoreSchema } from '../store/store-schema.ts';
import { countSecrets, sampleSecrets } from '../store/stored-secrets.ts';
import { syncFile, syncFolder } from '../store/sync-path.ts';
import { hashFile, nameTemporary, removeDatabase } from './files.ts';
import { findKeys, makePlain } from './open-plain.ts';
import type { NoteProgress } from './progress.ts';

export interface RestoreReport {
  readonly file: string;
  readonly target: string;
  /** The backup's last migration. An older one has been brought up to date at the target. */
  readonly schema: string;
  readonly rows: Readonly<Record<CopiedTable, number>>;
  readonly encryptionKeyIds: readonly string[];
  /** What servers on the target will lack; empty when a secret under each key opens. */
  readonly keyProblems: readonly string[];
}

interface RestoreOptions {
  readonly file: string;
  readonly target: DatabaseConfig;
  /** Replaces what the target holds. */
  readonly force: boolean;
}

/** Fails with `StoreRefusal`, `StoreOpenError`, or what the file system says. */
export async function restoreStore(
  config: Pick<Config, 'encryptionKeys'>,
  { file: path, target, force }: RestoreOptions,
  onProgress: NoteProgress,
): Promise<RestoreReport> {
  const file = resolve(path);
  const schema = await checkBackup(file);
  const summary =
    target.kind === 'sqlite'
      ? await restoreFile(file, resolve(target.file), force)
      : await restoreRows(file, target, schema, force, onProgress);
  const keys = await findKeys(config, [target]);
  const problems =
    keys === undefined
      ? [
          'No encryption keys are there: put the key file that belongs to the backup next to the database, or set CLAIMGATE_ENCRYPTION_KEYS.',
        ]
      : await summary.sample(keys.keyring);
  const { name, rows, encryptionKeyIds } = summary;
  await summary.close();
  return {
    file,
    target: name,
    schema: schema.version,
    rows,
    encryptionKeyIds,
    keyProblems: encryptionKeyIds.length === 0 ? [] : problems,
  };
}

/** Touches nothing. */
async function checkBackup(file: string): Promise<StoreSchema> {
  if (existsSync(`${file}-wal`)) {
    throw new StoreRefusal(
      `${file} is no backup but a database in use, or left by a crash: its log is beside it. Make a backup of it with claimgate backup.`,
    );
  }
  const backup = await openPlainSqlite(file, 'beside');
  try {
    checkIntegrity(backup);
    await refusePrograms(backup);
    const schema = await readSchema(backup);
    refuseNewerSchema(file, schema);
    if (await hasUnfinishedCopy(backup)) {
      throw new StoreRefusal(`${file} holds an unfinished copy, and is no backup.`);
    }
    return schema;
  } finally {
    await backup.close();
  }
}

/** A trigger would run with every write of the servers, and could undo records or make users operators unseen. */
async function refusePrograms(backup: PlainSqlite): Promise<void> {
  const [program] = await backup.all(
    `select type from sqlite_schema where type in ('trigger', 'view') limit 1`,
  );
  if (program === undefined) return;
  throw new StoreRefusal(
    `${backup.name} has a ${String(program['type'])}, which no backup of Claimgate's has: somebody has changed it. Use another backup.`,
  );
}

async function restoreFile(file: string, target: string, force: boolean): Promise<Restored> {
  const temporary = nameTemporary(target);
  const replaced = existsSync(target) ? await lockReplaced(target, force) : undefined;
  try {
    await writeCurrentCopy(file, temporary);
    if (replaced === undefined) {
      // The log of a file that could not be opened would be taken for the new one's.
      for (const suffix of ['-wal', '-shm']) await rm(`${target}${suffix}`, { force: true });
    }
    await giveToOwner(temporary, target);
    await rename(temporary, target);
    await syncFolder(dirname(target));
  } finally {
    await replaced?.close();
    await removeDatabase(temporary);
  }
  return describe(await openPlainSqlite(target, 'beside'));
}

/** The superuser restores for the user whose server it is, who could not open a file of root's. */
async function giveToOwner(temporary: string, target: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(existsSync(target) ? target : dirname(target));
  await chown(temporary, uid, gid);
}

/** Keeps servers away until it has been replaced. `undefined` for one that cannot be opened, where that is no matter. */
async function lockReplaced(target: string, force: boolean): Promise<PlainSqlite | undefined> {
  let replaced: PlainSqlite;
  try {
    replaced = await openPlainSqlite(target, 'alone');
  } catch (error) {
    if (force && error instanceof StoreOpenError) return undefined;
    throw error;
  }
  try {
    if (!force && !(await isStoreEmpty(replaced).catch(() => false))) {
      throw createNotEmptyError(target);
    }
    // Without a log beside it, so that the new file finds none.
    replaced.database.exec('PRAGMA journal_mode = DELETE');
    return replaced;
  } catch (error) {
    await replaced.close();
    throw error;
  }
}

/** A copy, proved to be one, on the disk and of the current schema. */
async function writeCurrentCopy(file: string, copy: string): Promise<void> {
  await createPrivateFile(copy);
  await copyFile(file, copy);
  await chmod(copy, 0o600);
  await syncFile(copy);
  if ((await hashFile(copy)) !== (await hashFile(file))) {
    throw new StoreRefusal(`What was written to ${copy} reads differently. Check the disk.`);
  }
  const current = await openPlainSqlite(copy, 'alone');
  try {
    await migrateSqlite(current.database);
  } finally {
    await current.close();
  }
}

async function restoreRows(
  file: string,
  database: DatabaseConfig,
  { state }: StoreSchema,
  force: boolean,
  onProgress: NoteProgress,
): Promise<Restored> {
  const folder = await mkdtemp(join(tmpdir(), 'claimgate-restore-'));
  try {
    const current = state === 'current' ? file : join(folder, 'backup.db');
    if (current !== file) await writeCurrentCopy(file, current);
    const source = await openPlainSqlite(current, 'beside');
    try {
      const target = await makePlain(database);
      try {
        // What an interrupted restore has left is nobody's.
        if (!force && !(await hasUnfinishedCopy(target)) && !(await isStoreEmpty(target))) {
          throw createNotEmptyError(target.name);
        }
        await copyStore(source, target, {
          replace: force ? 'everything' : 'unfinished',
          onProgress: ({ phase, done, total }) =>
            onProgress({ what: phase, done, total, unit: 'rows' }),
        });
        return await describe(target);
      } catch (error) {
        await target.close();
        throw error;
      }
    } finally {
      await source.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the target holds now, still open. */
interface Restored {
  readonly name: string;
  readonly rows: Readonly<Record<CopiedTable, number>>;
  readonly encryptionKeyIds: readonly string[];
  readonly sample: (keyring: Parameters<typeof sampleSecrets>[2]) => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
}

async function describe(target: PlainDatabase): Promise<Restored> {
  const counted: (readonly [CopiedTable, number])[] = [];
  for (const table of COPIED_TABLES) counted.push([table, await countTable(target, table)]);
  const uses = await countSecrets(target);
  return {
    name: target.name,
    // Made of all tables just now.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    rows: Object.fromEntries(counted) as Record<CopiedTable, number>,
    encryptionKeyIds: [...new Set(uses.map(({ keyId }) => keyId))].toSorted(),
    async sample(keyring) {
      const problems = await sampleSecrets(target, uses, keyring);
      return [...new Set(problems.map(({ reason }) => reason))];
    },
    close: () => target.close(),
  };
}

function createNotEmptyError(name: string): StoreRefusal {
  return new StoreRefusal(
    `The database ${name} is not empty. Restore into another one with --to, or add --force, which replaces all that it holds.`,
  );
}
