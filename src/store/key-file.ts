/** Owns the file with encryption keys that is made where none are configured. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { EncryptionKeysError, KEY_BYTES, parseEncryptionKeys } from './keyring.ts';
import type { Keyring } from './keyring.ts';
import { readSystemCode } from './system-code.ts';
import { syncFolder } from './sync-folder.ts';

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
  const suffix = randomBytes(6).toString('hex');
  const temporary = `${file}.${suffix}.new`;
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(`key-${suffix}:${randomBytes(KEY_BYTES).toString('base64')}\n`);
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
