// How the way to PostgreSQL is protected: whose certificate is trusted, for which host, and what an operator reads when
// it is not.
import { chmod, chown, copyFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openPostgresStore } from '../../src/store/postgres.ts';
import type { PostgresStore } from '../../src/store/postgres.ts';
import { StoreOpenError } from '../../src/store/store-open-error.ts';
import { startPostgresServer } from './postgres-server.ts';
import type { PostgresServer } from './postgres-server.ts';
import { TEST_KEYRING } from './sqlite-files.ts';
import { insertOrganization } from './store-fixtures.ts';

const CERTIFICATES = join(import.meta.dirname, '..', 'data', 'tls');
const findFile = (name: string): string => join(CERTIFICATES, `test-only-${name}.pem`);
const AUTHORITY = `sslrootcert=${findFile('authority')}`;
/** Trusted by nobody, and it has signed nothing. */
const OTHER_AUTHORITY = `sslrootcert=${findFile('cert')}`;

/** With a certificate for this machine. */
let server: PostgresServer;
/** With one for elsewhere. */
let elsewhere: PostgresServer;

beforeAll(async () => {
  [server, elsewhere] = await Promise.all([
    startTlsServer('database'),
    startTlsServer('elsewhere'),
  ]);
});
afterAll(async () => {
  await Promise.all([server.dispose(), elsewhere.dispose()]);
});

/** PostgreSQL takes a key that is its own, and that nobody else can read. */
async function startTlsServer(name: string): Promise<PostgresServer> {
  const started = await startPostgresServer();
  const { uid, gid } = await stat(started.folder);
  for (const [copied, source] of [
    ['cert.pem', `${name}-cert`],
    ['key.pem', `${name}-key`],
    ['authority.pem', 'authority'],
  ] as const) {
    const copy = join(started.folder, copied);
    await copyFile(findFile(source), copy);
    await chmod(copy, 0o600);
    await chown(copy, uid, gid);
  }
  await started.stop('fast');
  await started.start({
    ssl: 'on',
    ssl_cert_file: join(started.folder, 'cert.pem'),
    ssl_key_file: join(started.folder, 'key.pem'),
    // Asked of clients only where pg_hba.conf says so.
    ssl_ca_file: join(started.folder, 'authority.pem'),
  });
  return started;
}

/** @param parameters of the URL @param host as the URL names it */
async function openStore(
  { createDatabase, createUrl }: PostgresServer,
  parameters: string,
  host = 'localhost',
): Promise<{ readonly store: PostgresStore; readonly database: string }> {
  const database = await createDatabase();
  const url = `${createUrl(database).replace('127.0.0.1', host)}?${parameters}`;
  const store = await openPostgresStore({ url, keyring: TEST_KEYRING, waitMs: 0 });
  onTestFinished(() => store.close());
  return { store, database };
}

async function listTlsVersions({ run }: PostgresServer, database: string): Promise<unknown> {
  return run(
    `select distinct version from pg_stat_ssl join pg_stat_activity using (pid)
     where datname = '${database}' and application_name = 'claimgate'`,
  );
}

describe('TLS to PostgreSQL', () => {
  test.each(['localhost', '127.0.0.1'])(
    'is used where the certificate is trusted, and is for the host %s',
    async (host) => {
      const opened = await openStore(server, `sslmode=verify-full&${AUTHORITY}`, host);
      const { id } = await insertOrganization(opened.store);
      expect(await opened.store.findOrganization(id)).toMatchObject({ id });
      expect(await listTlsVersions(server, opened.database)).toEqual([{ version: 'TLSv1.3' }]);
    },
  );

  test.each([
    ['verify-ca takes the certificate for any host', `sslmode=verify-ca&${AUTHORITY}`],
    ['require takes any certificate', 'sslmode=require'],
  ])('by sslmode=%s', async (_, parameters) => {
    const { store, database } = await openStore(elsewhere, parameters);
    expect(await store.isEmpty()).toBe(true);
    expect(await listTlsVersions(elsewhere, database)).toEqual([{ version: 'TLSv1.3' }]);
  });

  test.each<[string, () => PostgresServer, string, string, string, string]>([
    [
      'the certificate is for another host',
      () => elsewhere,
      `sslmode=verify-full&${AUTHORITY}`,
      'localhost',
      'the certificate of the server is for another host',
      'elsewhere.example',
    ],
    [
      'the certificate is for another address',
      () => elsewhere,
      `sslmode=verify-full&${AUTHORITY}`,
      '127.0.0.1',
      'the certificate of the server is for another host',
      'the host that it is for',
    ],
    [
      'no authority is named, and the one of the certificate is not among those that Node knows',
      () => server,
      'sslmode=verify-full',
      'localhost',
      'the certificate of the server is not trusted',
      'sslrootcert=FILE',
    ],
    [
      'another authority is named',
      () => server,
      `sslmode=verify-ca&${OTHER_AUTHORITY}`,
      'localhost',
      'the certificate of the server is not trusted',
      'sslrootcert=FILE',
    ],
    [
      'the file of the authority is none',
      () => server,
      `sslmode=verify-full&sslrootcert=${join(CERTIFICATES, 'README.md')}`,
      'localhost',
      'the certificate of the server is not trusted',
      'sslrootcert=FILE',
    ],
  ])('is refused where %s', async (_, getServer, parameters, host, cause, advice) => {
    const opening = openStore(getServer(), parameters, host);
    await expect(opening).rejects.toBeInstanceOf(StoreOpenError);
    await expect(opening).rejects.toThrow(cause);
    await expect(opening).rejects.toThrow(advice);
  });

  test('brings a certificate of ours where the server wants one', async () => {
    const strict = await startTlsServer('database');
    onTestFinished(() => strict.dispose());
    const rules = join(strict.folder, 'data', 'pg_hba.conf');
    await writeFile(rules, 'hostssl all all all scram-sha-256 clientcert=verify-ca\n');
    const database = await strict.createDatabase();
    await strict.run('select pg_reload_conf()');
    const url = `${strict.createUrl(database).replace('127.0.0.1', 'localhost')}?sslmode=verify-full&${AUTHORITY}`;
    const open = (parameters: string): Promise<PostgresStore> =>
      openPostgresStore({ url: url + parameters, keyring: TEST_KEYRING, waitMs: 0 });
    await expect
      .poll(() => open('').then(() => 'opened', String))
      .toContain('does not let the user in: connection requires a valid client certificate');
    const store = await open(
      `&sslcert=${findFile('elsewhere-cert')}&sslkey=${findFile('elsewhere-key')}`,
    );
    onTestFinished(() => store.close());
    expect(await store.isEmpty()).toBe(true);
  });
});
