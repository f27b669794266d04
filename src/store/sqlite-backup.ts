/** Owns the copying of a SQLite file page by page, as it was at one moment, while servers go on writing to it. */
import { backup } from 'node:sqlite';
import type { PlainSqlite } from './plain-sqlite.ts';

/** Pages at a time. */
const STEP = 2000;

/**
 * Writes all pages into this file, which is there and empty. A read transaction that stays open holds the moment: what
 * others write meanwhile goes to the log behind it, and the copying never has to begin again.
 */
export async function copyPages(
  { database }: PlainSqlite,
  file: string,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  database.exec('BEGIN');
  try {
    database.prepare('select count(*) from sqlite_schema').get();
    await backup(database, file, {
      rate: STEP,
      progress: ({ totalPages, remainingPages }) =>
        onProgress(totalPages - remainingPages, totalPages),
    });
  } finally {
    database.exec('COMMIT');
  }
}
