/** Owns the file with encryption keys that is made where none are configured. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { EncryptionKeysError, KEY_BYTES, parseEncryptionKeys } from './keyring.ts';
import type { Keyring } from './keyring.ts';
import { readSystemCode } from './system-code.ts';
import { syncFolder } from './sync-path.ts';

/** The key file cannot be used: the message says why and what to do, and holds no key. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

/**
 * The keys in this file, which holds them as `parseEncryptionKeys` reads them. A file that is not there is made with
 * one random key; of several processes that make it at once, all get the same key.
 *
 * @throws {KeyFileError} also when others than the file's owner may read it
 */
export async function loadOrCreateKeyFile(path: string): Promise<Keyring> {
  const file = resolve(path);
  try {
    return (await loadKeyFile(file)) ?? (await createKeyFile(file));
  } catch (error) {
    if (error instanceof KeyFileError) throw error;
    const cause = readSystemCode(error) ?? 'an unexpected error';
    throw new KeyFileError(
      `Cannot use the encryption key file ${file}: ${cause}. Check that the file and its folder belong to the user that runs this process, or set CLAIMGATE_ENCRYPTION_KEYS.`,
      { cause: error },
    );
  }
}

/** `undefined` when it is not there. Fails as `loadOrCreateKeyFile` does, or with the system's error. */
export async function loadKeyFile(file: string): Promise<Keyring | undefined> {
  const handle = await open(file, 'r').catch((error: unknown) => {
    if (readSystemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (handle === undefined) return undefined;
  try {
    const { mode } = await handle.stat();
    if ((mode & 0o077) !== 0) {
      throw new KeyFileError(
        `The encryption key file ${file} can be read by others (mode ${(mode & 0o777).toString(8)}). Run: chmod 600 ${file}`,
      );
    }
    return parseEncryptionKeys(await handle.readFile('utf8'));
  } catch (error) {
    if (!(error instanceof EncryptionKeysError)) throw error;
    throw new KeyFileError(
      `The encryption key file ${file} is damaged: ${error.message}. Restore it from a backup; a new key cannot open what is stored.`,
    );
  } finally {
    await handle.close();
  }
}

/**
 * A file is written whole under another name and then linked to its own: whoever sees the name sees all of the key,
 * and of two links only the first succeeds.
 */
async function createKeyFile(file: string): Promise<Keyring> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const entry = generateEntry();
  const temporary = `${file}.${randomBytes(6).toString('hex')}.new`;
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(`${entry.text}\n`);
    await handle.sync();
    await link(temporary, file).catch((error: unknown) => {
      if (readSystemCode(error) !== 'EEXIST') throw error;
    });
  } finally {
    await handle.close();
    await unlink(temporary);
  }
  await syncFolder(folder);
  const keyring = await loadKeyFile(file);
  if (keyring === undefined)
    throw new KeyFileError(`The encryption key file ${file} vanished as it was made.`);
  return keyring;
}

/** A new random key with an id of its own, as `parseEncryptionKeys` reads it. */
export function generateEntry(): { readonly id: string; readonly text: string } {
  const id = `key-${randomBytes(6).toString('hex')}`;
  return { id, text: `${id}:${randomBytes(KEY_BYTES).toString('base64')}` };
}

/**
 * Puts a new key into a file that is there, first or last. Whoever reads the file meanwhile sees all of the old keys or
 * all of the new; its owner stays. Resolves to the new key's id.
 *
 * @throws {KeyFileError}
 */
export async function addToKeyFile(path: string, place: 'first' | 'last'): Promise<string> {
  const file = resolve(path);
  if ((await loadKeyFile(file)) === undefined) {
    throw new KeyFileError(
      `There is no encryption key file ${file}. The server's first start makes it.`,
    );
  }
  const { uid, gid } = await stat(file);
  const before = (await readFile(file, 'utf8')).trim();
  const { id, text } = generateEntry();
  // Of two at once, the second finds the name taken.
  const temporary = `${file}.new`;
  const handle = await open(temporary, 'wx', 0o600).catch((error: unknown) => {
    if (readSystemCode(error) !== 'EEXIST') throw error;
    throw new KeyFileError(
      `The file ${temporary} is there: another command adds a key, or one was ended in the midst of it. Remove it if none runs.`,
    );
  });
  try {
    await handle.writeFile(`${(place === 'first' ? [text, before] : [before, text]).join(',')}\n`);
    await handle.chown(uid, gid);
    await handle.sync();
    await rename(temporary, file);
  } finally {
    await handle.close();
    await unlink(temporary).catch(() => {});
  }
  await syncFolder(dirname(file));
  return id;
}
