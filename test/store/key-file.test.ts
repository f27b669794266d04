import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KeyFileError, loadOrCreateKeyFile } from '../../src/store/key-file.ts';
import { createTemporaryFolder } from './sqlite-files.ts';
import type { TemporaryFolder } from './sqlite-files.ts';

let folder: TemporaryFolder;
let path: string;
beforeEach(async () => {
  folder = await createTemporaryFolder();
  path = join(folder.path, 'sub', 'claimgate.key');
});
afterEach(() => folder.remove());

const exportKeys = async (): Promise<readonly string[]> => {
  const { keys } = await loadOrCreateKeyFile(path);
  return keys.map(({ id, key }) => `${id}:${key.export().toString('base64')}`);
};

describe('the key file', () => {
  test('is made with its folder, for its owner alone, and holds one random key', async () => {
    const [first, ...others] = await exportKeys();
    expect(others).toEqual([]);
    expect(await readFile(path, 'utf8')).toBe(`${first}\n`);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder.path, 'sub'))).toEqual(['claimgate.key']);
  });

  test('is read again when it is there', async () => {
    expect(await exportKeys()).toEqual(await exportKeys());
  });

  test('is the same for all that make it at once', async () => {
    const all = await Promise.all(Array.from({ length: 12 }, exportKeys));
    expect(new Set(all.map(String)).size).toBe(1);
    expect(await readdir(join(folder.path, 'sub'))).toEqual(['claimgate.key']);
  });

  test('may hold several keys', async () => {
    const key = (fill: number): string => Buffer.alloc(32, fill).toString('base64');
    await exportKeys();
    await writeFile(path, `new:${key(1)},old:${key(2)}\n`);
    expect(await exportKeys()).toEqual([`new:${key(1)}`, `old:${key(2)}`]);
  });

  test.each([0o644, 0o640, 0o604, 0o660, 0o601])(
    'is refused with mode %o, with advice',
    async (mode) => {
      await exportKeys();
      await chmod(path, mode);
      const loading = loadOrCreateKeyFile(path);
      await expect(loading).rejects.toBeInstanceOf(KeyFileError);
      await expect(loading).rejects.toThrow(`chmod 600 ${path}`);
    },
  );

  test.each(['', 'nonsense', 'a:c2VjcmV0\n'])(
    'is refused when it holds "%s", and never made anew',
    async (text) => {
      await exportKeys();
      await writeFile(path, text);
      const loading = loadOrCreateKeyFile(path);
      await expect(loading).rejects.toBeInstanceOf(KeyFileError);
      await expect(loading).rejects.toThrow(`${path} is damaged`);
      expect(await readFile(path, 'utf8')).toBe(text);
    },
  );

  test('that cannot be made is refused, with its name', async () => {
    await writeFile(join(folder.path, 'sub'), 'a file');
    const loading = loadOrCreateKeyFile(path);
    await expect(loading).rejects.toBeInstanceOf(KeyFileError);
    await expect(loading).rejects.toThrow(path);
  });
});
