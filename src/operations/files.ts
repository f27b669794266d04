/** Owns what commands do with files that hold a store: under a name of their own until they are whole. */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

/** In the same folder, so that renaming is all that remains to be done. */
export function nameTemporary(file: string): string {
  return `${file}.${randomBytes(6).toString('hex')}.new`;
}

/** The file, and what SQLite keeps beside it. */
export async function removeDatabase(file: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm', '-journal']) {
    await rm(`${file}${suffix}`, { force: true });
  }
}

/** SHA-256, in hexadecimal digits. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
