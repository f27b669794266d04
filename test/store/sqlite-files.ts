/** Owns temporary folders with a database and its key, and looks into database files without disturbing their locks. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEncryptionKeys } from '../../src/store/keyring.ts';
import type { Keyring } from '../../src/store/keyring.ts';

export const TEST_KEYRING: Keyring = parseEncryptionKeys(
  `test:${Buffer.alloc(32, 7).toString('base64')}`,
);

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
  /** Of the database; it is not made. */
  readonly file: string;
  readonly remove: () => Promise<void>;
}

export async function createTemporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), 'claimgate-store-'));
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true });
  return { path, file: join(path, 'claimgate.db'), remove, [Symbol.asyncDispose]: remove };
}

/**
 * The bytes of every file in the folder, by name. Read by another process, because a process that opens and closes a
 * database file loses its own locks on it.
 */
export async function readFilesElsewhere(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const names = await readdir(folder);
  return new Map(names.map((name) => [name, execFileSync('cat', [join(folder, name)])]));
}

/** The names of the files that hold this text. */
export async function findText(folder: string, text: string): Promise<readonly string[]> {
  const files = await readFilesElsewhere(folder);
  return [...files].filter(([, bytes]) => bytes.includes(text)).map(([name]) => name);
}
