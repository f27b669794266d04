/**
 * Owns the two connections to a SQLite file: how they are opened and what they are set to. It refuses to own what runs
 * on them.
 */
import { closeSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { retryWhileBusy } from './busy-retry.ts';
import { StoreOpenError } from './store-open-error.ts';
import { syncFolder } from './sync-path.ts';
import { readSystemCode } from './system-code.ts';

/** "CGat" in the file's header tells our databases from those of other programs. */
export const APPLICATION_ID = 0x43476174;

/** Within one statement, during which the process does nothing else, in milliseconds. */
const BUSY_TIMEOUT = {
  /** The rest is waited for without blocking. */
  writing: 20,
  /** Readers wait only while another process recovers the log of one that was killed. */
  reading: 1000,
} as const;

/**
 * The log and its index take their mode from the file. An existing file is not even opened: closing it again would
 * take away the locks that this process has on it (https://www.sqlite.org/howtocorrupt.html §2.2).
 */
export async function createPrivateFile(file: string): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(file, 'wx', 0o600));
    await syncFolder(folder);
  } catch (error) {
    if (readSystemCode(error) !== 'EEXIST') throw error;
  }
}

/** For statements that stand alone, and change nothing. */
export function openReadingConnection(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT.reading });
  database.exec('PRAGMA query_only = ON; PRAGMA trusted_schema = OFF');
  return database;
}

/** For transactions. Waits so long for other processes, which may be migrating. */
export async function openWritingConnection(file: string, waitMs: number): Promise<DatabaseSync> {
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT.writing });
  try {
    await retryWhileBusy(() => prepareFile(database, file), performance.now() + waitMs);
    // FULL: a commit is on the disk when it is acknowledged, also in the face of a power loss.
    database.exec(`
      PRAGMA synchronous = FULL;
      PRAGMA foreign_keys = ON;
      PRAGMA secure_delete = ON;
      PRAGMA trusted_schema = OFF;
    `);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function prepareFile(database: DatabaseSync, file: string): void {
  refuseForeign(database, file);
  // Switching to the write-ahead log needs the file alone, once in its life.
  if (readPragma(database, 'journal_mode = WAL') === 'wal') return;
  throw new StoreOpenError(
    file,
    'its file system cannot share memory between processes, which the write-ahead log needs',
    'Put the file on a local disk.',
  );
}

export function refuseForeign(database: DatabaseSync, file: string): void {
  const id = readPragma(database, 'application_id');
  if (id === APPLICATION_ID) return;
  const content = database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get();
  if (id === 0 && content === undefined) return;
  throw new StoreOpenError(
    file,
    'it is a database of another program',
    'Set CLAIMGATE_DATABASE_URL to another file.',
  );
}

export function readPragma(database: DatabaseSync, pragma: string): unknown {
  const [value] = Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {});
  return value;
}
