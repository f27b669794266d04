// The check-up through the real command line: a set-up without faults, and one fault after another.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';

import { judgeClock } from '../../src/operations/finding.ts';
import { parseEncryptionKeys } from '../../src/store/keyring.ts';
import { openPlainSqlite } from '../../src/store/plain-sqlite.ts';
import { runClaimgate } from '../cli/run-claimgate.ts';
import { startPostgresServer } from '../store/postgres-server.ts';
import type { PostgresServer } from '../store/postgres-server.ts';
import { startDnsServer } from '../support/start-dns-server.ts';
import type { StartedDnsServer } from '../support/start-dns-server.ts';
import { startMisbehavingIdp } from '../support/start-misbehaving-idp.ts';
import type { MisbehavingIdp } from '../support/start-misbehaving-idp.ts';
import { startProcess } from '../support/start-process.ts';
import { fillSqliteStore } from './fill-store.ts';

const KEYS = `k1:${randomBytes(32).toString('base64')}`;
const TLS = join(import.meta.dirname, '..', 'data', 'tls');

let folder: string;
let file: string;
let idp: MisbehavingIdp;
let dns: StartedDnsServer;

beforeAll(async () => {
  idp = await startMisbehavingIdp();
  dns = await startDnsServer();
});
afterAll(async () => {
  await idp.stop();
  await dns.stop();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claimgate-doctor-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  file = join(folder, 'claimgate.db');
});

interface Told {
  readonly check: string;
  readonly outcome: string;
  readonly seen: string;
  readonly advice: string;
}

function surround(more: Record<string, string> = {}): Record<string, string> {
  return {
    CLAIMGATE_DATABASE_URL: `sqlite:${file}`,
    CLAIMGATE_ENCRYPTION_KEYS: KEYS,
    CLAIMGATE_PORT: '0',
    CLAIMGATE_DNS_SERVERS: dns.address,
    CLAIMGATE_ALLOW_HTTP_ISSUERS: 'true',
    CLAIMGATE_ALLOW_PRIVATE_ISSUERS: 'true',
    ...more,
  };
}

async function examine(env: Record<string, string>, ...args: readonly string[]) {
  const { exitCode, stdout, stderr } = await runClaimgate(['doctor', '--json', ...args], { env });
  const report: { failed: number; warnings: number; findings: Told[] } = JSON.parse(stdout);
  const find = (check: string): Told | undefined =>
    report.findings.find((finding) => finding.check === check);
  return { exitCode, stderr, ...report, find };
}

/** A store of which every configuration is at that issuer. */
async function fill(issuer: string): Promise<void> {
  await fillSqliteStore(file, parseEncryptionKeys(KEYS), 2);
  const plain = await openPlainSqlite(file, 'alone');
  await plain.run('update sso_configuration set issuer_url = ?', [issuer]);
  await plain.close();
}

test('a set-up without faults passes, in JSON and in words', async () => {
  await fill(idp.issuer);
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  const env = surround({
    CLAIMGATE_PORT: String(port),
    CLAIMGATE_PUBLIC_URL: `http://127.0.0.1:${port}`,
  });
  const server = await startProcess(env);
  onTestFinished(async () => void (await server.end('SIGTERM')));
  const { exitCode, stderr, failed, findings, find } = await examine(env);
  expect([exitCode, failed, stderr]).toEqual([0, 0, '']);
  const checks = ['port', 'store', 'integrity', 'writing', 'keys', 'public URL', 'DNS'];
  for (const check of [...checks, `issuer ${idp.issuer}`]) {
    expect(find(check)).toMatchObject({ outcome: 'ok', advice: '' });
  }
  // Of what the identity provider answers, and of its Date header.
  expect(findings.filter(({ check }) => check.startsWith('issuer '))).toHaveLength(2);
  const words = await runClaimgate(['doctor', '--offline'], { env });
  expect(words.exitCode).toBe(0);
  expect(words.stdout).toMatch(/^ok {7}store: /m);
  expect(words.stdout).not.toContain('issuer ');
});

test('every mistake in the configuration is told, without its value', async () => {
  const { exitCode, findings } = await examine({ CLAIMGATE_PORT: 'xyz', CLAIMGATE_PROT: '1' });
  expect(exitCode).toBe(7);
  expect(findings.map(({ outcome }) => outcome)).toEqual(['failed', 'failed']);
  expect(JSON.stringify(findings)).not.toContain('xyz');
});

describe('the store', () => {
  test('that is not there is made by the first start, and not by the check-up', async () => {
    const { exitCode, find } = await examine(surround(), '--offline');
    expect(exitCode).toBe(0);
    expect(find('store')).toMatchObject({ outcome: 'warning' });
    await expect(stat(file)).rejects.toThrow('ENOENT');
  });

  test.each<[string, () => Promise<void>, string, string]>([
    [
      'that is damaged',
      async () => {
        const bytes = await readFile(file);
        await writeFile(file, bytes.fill(0x5a, 4096 * 6, 4096 * 9));
      },
      'integrity',
      'restore a backup',
    ],
    [
      'of another program',
      () => writeFile(file, 'no database, but long enough for a header'.repeat(10)),
      'store',
      'does not start',
    ],
    [
      'of a newer version',
      async () => {
        const plain = await openPlainSqlite(file, 'alone');
        await plain.run(`insert into schema_migration values ('9999-later', '')`);
        await plain.close();
      },
      'store',
      'version that made it',
    ],
    [
      'with a part of a copy',
      async () => {
        const plain = await openPlainSqlite(file, 'alone');
        await plain.run('create table unfinished_copy (source text)');
        await plain.close();
      },
      'store',
      'claimgate migrate',
    ],
  ])('%s fails, with advice', async (_, spoil, check, advice) => {
    await fillSqliteStore(file, parseEncryptionKeys(KEYS), 3);
    await spoil();
    const { exitCode, findings } = await examine(surround(), '--offline');
    expect(exitCode).toBe(7);
    const found = findings.find((one) => one.check === check && one.outcome === 'failed');
    expect(found?.advice).toContain(advice);
  });

  test('that others may read is warned of', async () => {
    await fillSqliteStore(file, parseEncryptionKeys(KEYS), 1);
    await chmod(file, 0o644);
    const { exitCode, find } = await examine(surround(), '--offline');
    expect(exitCode).toBe(0);
    expect(find('file mode')).toMatchObject({ outcome: 'warning' });
  });

  test('whose key is missing fails, and says which', async () => {
    await fillSqliteStore(file, parseEncryptionKeys(KEYS), 1);
    const keys = `k2:${randomBytes(32).toString('base64')}`;
    const { exitCode, find } = await examine(
      surround({ CLAIMGATE_ENCRYPTION_KEYS: keys }),
      '--offline',
    );
    expect(exitCode).toBe(7);
    expect(find('keys')).toMatchObject({ outcome: 'failed' });
    expect(find('keys')?.seen).toContain('"k1"');
  });
});

describe('outwards', () => {
  test('an issuer that is not there fails, as sso check says it', async () => {
    await fill('http://127.0.0.1:1/issuer');
    const { exitCode, find } = await examine(surround());
    expect(exitCode).toBe(7);
    expect(find('issuer http://127.0.0.1:1/issuer')).toMatchObject({ outcome: 'failed' });
  });

  test('an issuer on a private network is not asked, unless that is allowed', async () => {
    await fill(idp.issuer);
    const env = surround({ CLAIMGATE_ALLOW_PRIVATE_ISSUERS: 'false' });
    const { exitCode, find } = await examine(env);
    expect(exitCode).toBe(7);
    expect(find(`issuer ${idp.issuer}`)?.seen).toContain('discovery document');
    expect(find(`issuer ${idp.issuer}`)?.advice).toContain('public internet');
  });

  test('a DNS server that does not answer fails by its address', async () => {
    const env = surround({ CLAIMGATE_DNS_SERVERS: `${dns.address},127.0.0.1:1` });
    const { exitCode, findings } = await examine(env);
    expect(exitCode).toBe(7);
    const told = findings.filter(({ check }) => check === 'DNS');
    expect(told.map(({ outcome }) => outcome)).toEqual(['ok', 'failed']);
    expect(told[1]?.seen).toContain('127.0.0.1:1');
  });
});

test('a port that another program has fails', async () => {
  const other = createServer((socket) => {
    // Whoever looks hangs up.
    socket.on('error', () => {}).end('nothing of ours');
  }).listen(0, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const port = String((other.address() as AddressInfo).port);
  const { exitCode, find } = await examine(surround({ CLAIMGATE_PORT: port }), '--offline');
  expect(exitCode).toBe(7);
  expect(find('port')?.advice).toContain('CLAIMGATE_PORT');
});

describe('TLS files', () => {
  const check = async (cert: string, key: string) =>
    examine(surround({ CLAIMGATE_TLS_CERT: cert, CLAIMGATE_TLS_KEY: key }), '--offline');

  test('that belong together pass', async () => {
    const { find } = await check(join(TLS, 'test-only-cert.pem'), join(TLS, 'test-only-key.pem'));
    expect(find('tls')).toMatchObject({ outcome: 'ok' });
  });

  test('that do not, and those that are not there, fail', async () => {
    const other = join(folder, 'other.pem');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(other, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    for (const key of [other, join(folder, 'none.pem')]) {
      const { exitCode, find } = await check(join(TLS, 'test-only-cert.pem'), key);
      expect(exitCode).toBe(7);
      expect(find('tls')?.seen).toContain('CLAIMGATE_TLS_KEY');
    }
  });
});

test.each([
  [100, 'ok'],
  [-6_000, 'warning'],
  [29_999, 'warning'],
  [31_000, 'failed'],
  [-31_000, 'failed'],
])('a clock that is %i ms off is %s', (offset, outcome) => {
  expect(judgeClock('clock', offset, 'the database').outcome).toBe(outcome);
});

describe('PostgreSQL', () => {
  let postgres: PostgresServer;
  beforeAll(async () => {
    postgres = await startPostgresServer();
  });
  afterAll(() => postgres.dispose());

  test('is looked at too, its clock included, and told without its password', async () => {
    const database = await postgres.createDatabase();
    const url = postgres.createUrl(database);
    const env = surround({ CLAIMGATE_DATABASE_URL: url });
    const before = await examine(env, '--offline');
    expect(before.find('store')).toMatchObject({ outcome: 'warning' });
    const server = await startProcess(env);
    onTestFinished(async () => void (await server.end('SIGTERM')));
    const { exitCode, findings, find } = await examine(env, '--offline');
    expect(exitCode).toBe(0);
    for (const check of ['store', 'writing', 'keys', 'clock']) {
      expect(find(check)).toMatchObject({ outcome: 'ok' });
    }
    expect(JSON.stringify(findings)).not.toMatch(/pass/);
    const wrong = await examine(
      surround({ CLAIMGATE_DATABASE_URL: url.replace(database, 'none') }),
      '--offline',
    );
    expect(wrong.exitCode).toBe(7);
    expect(wrong.find('store')?.seen).toContain('CREATE DATABASE');
  });
});
