// Keys through the real command line, on stores that servers have open.
import { randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';

import { parseEncryptionKeys } from '../../src/store/keyring.ts';
import { openPlainSqlite } from '../../src/store/plain-sqlite.ts';
import { openPostgresStore } from '../../src/store/postgres.ts';
import { resealSecrets } from '../../src/store/reseal-secrets.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { countSecrets, sampleSecrets } from '../../src/store/stored-secrets.ts';
import { runClaimgate } from '../cli/run-claimgate.ts';
import { startPostgresServer } from '../store/postgres-server.ts';
import type { PostgresServer } from '../store/postgres-server.ts';
import { startProcess } from '../support/start-process.ts';
import { CLIENT_SECRET, fillSqliteStore } from './fill-store.ts';

const OLD = `old:${randomBytes(32).toString('base64')}`;
const NEW = `new:${randomBytes(32).toString('base64')}`;
const BOTH = `${NEW},${OLD}`;

let folder: string;
let file: string;
const place = (name: string): string => join(folder, name);
const surround = (keys?: string): Record<string, string> => ({
  CLAIMGATE_DATABASE_URL: `sqlite:${file}`,
  ...(keys !== undefined && { CLAIMGATE_ENCRYPTION_KEYS: keys }),
});
const run = (args: readonly string[], keys?: string) =>
  runClaimgate(['keys', ...args], { env: surround(keys) });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claimgate-keys-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  file = place('claimgate.db');
});

describe('rotating', () => {
  test('puts every secret under the first key, and the old one may go', async () => {
    const { configurationIds } = await fillSqliteStore(file, parseEncryptionKeys(OLD), 5);
    const { exitCode, stdout, stderr } = await run(['rotate', '--json'], BOTH);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({
      keyId: 'new',
      resealed: 25,
      remaining: 0,
      otherKeyIds: ['old'],
    });
    const plain = await openPlainSqlite(file, 'alone');
    const uses = await countSecrets(plain);
    expect(new Set(uses.map(({ keyId }) => keyId))).toEqual(new Set(['new']));
    expect(await sampleSecrets(plain, uses, parseEncryptionKeys(NEW))).toEqual([]);
    await plain.close();
    const store = await openSqliteStore({ file, keyring: parseEncryptionKeys(NEW) });
    for (const id of configurationIds) expect(await store.readClientSecret(id)).toBe(CLIENT_SECRET);
    expect(await store.listSigningKeys()).toHaveLength(5);
    await store.close();
    expect(JSON.parse((await run(['rotate', '--json'], BOTH)).stdout)).toMatchObject({
      resealed: 0,
    });
  });

  test('loses no secret that is changed at the same time', async () => {
    const keyring = parseEncryptionKeys(BOTH);
    const { configurationIds } = await fillSqliteStore(file, parseEncryptionKeys(OLD), 8);
    const store = await openSqliteStore({ file, keyring });
    const changed = new Map<string, string>();
    const change = async (id: string): Promise<void> => {
      const secret = randomBytes(8).toString('hex');
      await store.transaction(async (tx) => {
        const current = await tx.lockSsoConfiguration(id);
        if (current !== undefined) await tx.updateSsoConfiguration(current, secret);
      });
      changed.set(id, secret);
    };
    const plain = await openPlainSqlite(file, 'beside');
    // Between what is read and what is written: each is changed just before its transaction.
    const crossed = {
      ...plain,
      transaction: async <Result>(work: () => Promise<Result>): Promise<Result> => {
        for (const id of configurationIds.slice(0, 4)) await change(id);
        return plain.transaction(work);
      },
    };
    const report = await resealSecrets(crossed, keyring);
    await plain.close();
    expect(report).toMatchObject({ remaining: 0, problems: [] });
    for (const id of configurationIds) {
      expect(await store.readClientSecret(id)).toBe(changed.get(id) ?? CLIENT_SECRET);
    }
    expect(changed.size).toBe(4);
    await store.close();
  });

  test('that was interrupted goes on with what is left', async () => {
    await fillSqliteStore(file, parseEncryptionKeys(OLD), 4);
    const keyring = parseEncryptionKeys(BOTH);
    const plain = await openPlainSqlite(file, 'beside');
    let done = 0;
    const interrupted = resealSecrets(plain, keyring, (count) => {
      done = count;
      throw new Error('interrupted');
    });
    await expect(interrupted).rejects.toThrow('interrupted');
    const report = await resealSecrets(plain, keyring);
    await plain.close();
    expect(done).toBeGreaterThan(0);
    expect(report).toEqual({ resealed: 20 - done, remaining: 0, problems: [] });
  });

  test('tells of secrets whose key is missing, and does the others', async () => {
    await fillSqliteStore(file, parseEncryptionKeys(OLD), 1);
    const result = await run(['rotate'], NEW);
    expect(result.exitCode).toBe(5);
    expect(result.stderr).toContain('No encryption key has the id "old"');
    const listed = await run(['list', '--json'], NEW);
    expect(listed.exitCode).toBe(7);
    expect(JSON.parse(listed.stdout)).toMatchObject({
      encryptionKeys: [
        { id: 'new', use: 'encrypts', secrets: 0 },
        { id: 'old', use: 'missing', secrets: 5 },
      ],
    });
  });
});

describe('the key file', () => {
  test('is given a new key in front, and a server that is restarted reads all', async () => {
    const first = await startProcess(surround());
    await first.end('SIGTERM');
    const keyFile = place('claimgate.key');
    const before = (await readFile(keyFile, 'utf8')).trim();
    const added = await run(['add', '--json']);
    expect(added.exitCode).toBe(0);
    const { id } = JSON.parse(added.stdout);
    const after = (await readFile(keyFile, 'utf8')).trim();
    expect(after.startsWith(`${id}:`)).toBe(true);
    expect(after.endsWith(`,${before}`)).toBe(true);
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
    expect(added.stdout + added.stderr).not.toContain(after.split(':')[1]?.split(',')[0]);

    const second = await startProcess(surround());
    onTestFinished(async () => void (await second.end('SIGTERM')));
    expect(await run(['rotate'])).toMatchObject({ exitCode: 0, stderr: '' });
    const { stdout } = await run(['list', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      place: keyFile,
      encryptionKeys: [
        { id, use: 'encrypts', secrets: 1 },
        { use: 'decrypts', secrets: 0 },
      ],
      signingKeys: [{ state: 'signing' }],
    });
  });

  test('that is not there is not made, and one that another command writes is left', async () => {
    const missing = await run(['add']);
    expect(missing.exitCode).toBe(1);
    expect(missing.stderr).toContain('first start makes it');
    await (await startProcess(surround())).end('SIGTERM');
    await writeFile(place('claimgate.key.new'), '');
    const before = await readFile(place('claimgate.key'), 'utf8');
    expect((await run(['add'])).exitCode).toBe(1);
    expect(await readFile(place('claimgate.key'), 'utf8')).toBe(before);
  });
});

test.each([
  [[], /^key-\w+:[\w+/=]+,old:/],
  [['--last'], /^old:[\w+/=]+,key-\w+:/],
])('the new value of the variable goes to standard output alone: %j', async (more, form) => {
  const added = await run(['add', ...more], OLD);
  expect(added.exitCode).toBe(0);
  expect(added.stdout).toMatch(form);
  expect(parseEncryptionKeys(added.stdout.trim()).keys).toHaveLength(2);
  expect(added.stderr).toContain('secret');
  for (const { id } of parseEncryptionKeys(added.stdout.trim()).keys) {
    const [, key = '?'] = new RegExp(`${id}:([^,\\s]+)`).exec(added.stdout) ?? [];
    expect(added.stderr).not.toContain(key);
  }
});

test('a new signing key is published before it signs, once, while the server runs', async () => {
  const server = await startProcess(surround(OLD));
  onTestFinished(async () => void (await server.end('SIGTERM')));
  const rotated = await run(['rotate', '--signing', '--json'], OLD);
  expect(rotated).toMatchObject({ exitCode: 0, stderr: '' });
  const { key, made } = JSON.parse(rotated.stdout);
  expect([made, key.state]).toEqual([true, 'published']);
  const response = await fetch(`${server.url}/.well-known/jwks.json`);
  const { keys } = await response.json();
  expect(keys.map(({ kid }: { kid: string }) => kid)).toContain(key.id);
  const again = JSON.parse((await run(['rotate', '--signing', '--json'], OLD)).stdout);
  expect(again).toMatchObject({ made: false, key: { id: key.id } });
  const listed = JSON.parse((await run(['list', '--json'], OLD)).stdout);
  expect(listed.signingKeys.map(({ state }: { state: string }) => state)).toEqual([
    'published',
    'signing',
  ]);
});

describe('PostgreSQL', () => {
  let postgres: PostgresServer;
  beforeAll(async () => {
    postgres = await startPostgresServer();
  });
  afterAll(() => postgres.dispose());

  test('is rotated while a server runs', async () => {
    const { configurationIds } = await fillSqliteStore(file, parseEncryptionKeys(OLD), 3);
    await copyFile(file, place('backup.db'));
    const url = postgres.createUrl(await postgres.createDatabase());
    const env = { CLAIMGATE_DATABASE_URL: url, CLAIMGATE_ENCRYPTION_KEYS: BOTH };
    expect(await runClaimgate(['restore', place('backup.db')], { env })).toMatchObject({
      exitCode: 0,
    });
    const server = await startProcess(env);
    onTestFinished(async () => void (await server.end('SIGTERM')));
    const rotated = await runClaimgate(['keys', 'rotate', '--json'], { env });
    expect(JSON.parse(rotated.stdout)).toMatchObject({ keyId: 'new', remaining: 0 });
    const store = await openPostgresStore({ url, keyring: parseEncryptionKeys(NEW) });
    for (const id of configurationIds) expect(await store.readClientSecret(id)).toBe(CLIENT_SECRET);
    await store.close();
    const signing = await runClaimgate(['keys', 'rotate', '--signing'], { env });
    expect(signing).toMatchObject({ exitCode: 0, stderr: '' });
  });
});
