import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DomainError } from '../../src/domain/errors.ts';
import type { Organization } from '../../src/domain/organization.ts';
import type { Store } from '../../src/domain/ports.ts';
import { parseEncryptionKeys } from '../../src/store/keyring.ts';
import { createConnection, createReadingDialect } from '../../src/store/node-sqlite-dialect.ts';
import type { Database } from '../../src/store/schema.ts';
import { createSqlStore } from '../../src/store/sql-store.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { createTemporaryFolder, findText, TEST_KEYRING } from './sqlite-files.ts';
import type { TemporaryFolder } from './sqlite-files.ts';
import {
  insertOrganization,
  insertUsers,
  makeDigest,
  makeOrganization,
  makeSigningKey,
  makeSsoConfiguration,
  makeToken,
  makeUser,
  queryMembers,
} from './store-fixtures.ts';

const CANARY = 'canary-7f2c51e0b9';

let folder: TemporaryFolder;
let store: Store;
beforeEach(async () => {
  folder = await createTemporaryFolder();
  store = await openSqliteStore({ file: folder.file, keyring: TEST_KEYRING });
});
afterEach(async () => {
  await store.close();
  await folder.remove();
});

describe('what stands in the database files', () => {
  test('is no secret, neither while the store is open nor afterwards', async () => {
    const { id } = await insertOrganization(store);
    const configuration = makeSsoConfiguration(id);
    const key = makeSigningKey();
    await store.transaction(async (tx) => {
      await tx.insertSsoConfiguration(configuration, `${CANARY}-client-secret`);
      await tx.updateSsoConfiguration(configuration, `${CANARY}-another`);
      await tx.insertSigningKey({ ...key, privateKey: { ...key.privateKey, d: `${CANARY}-key` } });
    });
    expect(await store.readClientSecret(configuration.id)).toBe(`${CANARY}-another`);
    expect(await findText(folder.path, CANARY)).toEqual([]);
    expect(await findText(folder.path, configuration.id)).not.toEqual([]);
    await store.close();
    expect(await findText(folder.path, CANARY)).toEqual([]);
  });

  test('is nothing that was deleted, already while the store is open', async () => {
    const organization = await insertOrganization(store, { name: CANARY });
    await insertUsers(store, [makeUser(organization.id, { email: `${CANARY}@example.com` })]);
    expect(await findText(folder.path, CANARY)).not.toEqual([]);
    await store.transaction((tx) => tx.deleteOrganization(organization.id));
    expect(await findText(folder.path, CANARY)).toEqual([]);
    await store.close();
    expect(await findText(folder.path, CANARY)).toEqual([]);
  });

  test('is nothing that was deleted from the file itself', async () => {
    const organization = await insertOrganization(store, { name: CANARY });
    await store.close();
    expect(await findText(folder.path, CANARY)).toEqual(['claimgate.db']);
    store = await openSqliteStore({ file: folder.file, keyring: TEST_KEYRING });
    await store.transaction((tx) => tx.deleteOrganization(organization.id));
    expect(await findText(folder.path, CANARY)).toEqual([]);
  });
});

describe('email domains are looked up in a table that', () => {
  test('is kept in step with the configurations', async () => {
    const { id } = await insertOrganization(store);
    const configuration = makeSsoConfiguration(id, {
      emailDomains: ['A.example', 'b.Example', 'a.example'],
    });
    const readDomains = (): unknown[] => {
      const database = new DatabaseSync(folder.file);
      const rows = database
        .prepare(
          'select domain, organization_id, configuration_id from sso_configuration_domain order by domain',
        )
        .all();
      database.close();
      return rows;
    };
    const row = (domain: string) => ({
      domain,
      organization_id: id,
      configuration_id: configuration.id,
    });

    await store.transaction((tx) => tx.insertSsoConfiguration(configuration, 'secret'));
    expect(readDomains()).toEqual([row('a.example'), row('b.example')]);
    const changed = { ...configuration, emailDomains: ['B.EXAMPLE', 'c.example'] };
    await store.transaction((tx) => tx.updateSsoConfiguration(changed));
    expect(readDomains()).toEqual([row('b.example'), row('c.example')]);
    await store.transaction((tx) => tx.updateSsoConfiguration({ ...changed, emailDomains: [] }));
    expect(readDomains()).toEqual([]);
    await store.transaction((tx) => tx.updateSsoConfiguration(changed));
    await store.transaction((tx) => tx.deleteSsoConfiguration(changed.id));
    expect(readDomains()).toEqual([]);
  });
});

describe('a secret fails closed', () => {
  const moveTo = (statement: string): void => {
    const database = new DatabaseSync(folder.file);
    database.exec(statement);
    database.close();
  };

  test('when it is moved to another configuration of the same organization', async () => {
    const { id } = await insertOrganization(store);
    const [from, to] = [makeSsoConfiguration(id), makeSsoConfiguration(id)];
    await store.transaction(async (tx) => {
      await tx.insertSsoConfiguration(from, CANARY);
      await tx.insertSsoConfiguration(to, 'other');
    });
    moveTo(`update sso_configuration set client_secret =
      (select client_secret from sso_configuration where id = '${from.id}') where id = '${to.id}'`);
    await expect(store.readClientSecret(to.id)).rejects.toMatchObject({
      name: 'DomainError',
      code: 'failed_precondition',
      message: expect.not.stringContaining(CANARY),
    });
    expect(await store.readClientSecret(from.id)).toBe(CANARY);
  });

  test('when its configuration is moved to another organization', async () => {
    const { id } = await insertOrganization(store);
    const other = await insertOrganization(store);
    const configuration = makeSsoConfiguration(id);
    await store.transaction((tx) => tx.insertSsoConfiguration(configuration, CANARY));
    moveTo(`update sso_configuration set organization_id = '${other.id}'`);
    await expect(store.readClientSecret(configuration.id)).rejects.toMatchObject({
      code: 'failed_precondition',
    });
  });

  test('when its key is missing, and opens again when the key is back in any place', async () => {
    const { id } = await insertOrganization(store);
    const configuration = makeSsoConfiguration(id);
    await store.transaction(async (tx) => {
      await tx.insertSsoConfiguration(configuration, CANARY);
      await tx.insertSigningKey(makeSigningKey());
    });
    const test = `test:${Buffer.alloc(32, 7).toString('base64')}`;
    const next = `next:${Buffer.alloc(32, 8).toString('base64')}`;
    const reopen = async (keys: string): Promise<void> => {
      await store.close();
      store = await openSqliteStore({ file: folder.file, keyring: parseEncryptionKeys(keys) });
    };

    await reopen(next);
    await expect(store.readClientSecret(configuration.id)).rejects.toMatchObject({
      code: 'failed_precondition',
    });
    await expect(store.listSigningKeys()).rejects.toMatchObject({ code: 'failed_precondition' });
    // What is published needs no key.
    expect(await store.listPublicKeys()).toHaveLength(1);
    await reopen(`${next},${test}`);
    expect(await store.readClientSecret(configuration.id)).toBe(CANARY);
    expect(await store.listSigningKeys()).toHaveLength(1);

    // What is written now is under the first key.
    await store.transaction((tx) => tx.updateSsoConfiguration(configuration, `${CANARY}-2`));
    await reopen(next);
    expect(await store.readClientSecret(configuration.id)).toBe(`${CANARY}-2`);
  });

  test('when it is another signing key', async () => {
    const [from, to] = [makeSigningKey(), makeSigningKey()];
    await store.transaction(async (tx) => {
      await tx.insertSigningKey(from);
      await tx.insertSigningKey(to);
    });
    moveTo(`update signing_key set private_key =
      (select private_key from signing_key where id = '${from.id}') where id = '${to.id}'`);
    await expect(store.listSigningKeys()).rejects.toMatchObject({ code: 'failed_precondition' });
  });
});

describe('a full disk', () => {
  test('refuses writes as resource_exhausted, while reading goes on', async () => {
    const kept = await insertOrganization(store);
    await store.close();
    store = await openSqliteStore({ file: folder.file, keyring: TEST_KEYRING, maxPages: 150 });

    const written: string[] = [];
    const write = async (): Promise<void> => {
      const organization = makeOrganization({ name: 'x'.repeat(20_000) });
      await store.transaction(async (tx) => {
        await tx.insertOrganization(organization);
        await tx.insertUser(makeUser(organization.id));
      });
      written.push(organization.id);
    };
    const fill = async (): Promise<never> => {
      for (;;) await write();
    };
    await expect(fill()).rejects.toMatchObject({ name: 'DomainError', code: 'resource_exhausted' });
    await expect(fill()).rejects.toMatchObject({ code: 'resource_exhausted' });

    expect(written.length).toBeGreaterThan(0);
    for (const id of [kept.id, ...written]) {
      expect(await store.findOrganization(id)).toBeDefined();
    }
    // Deleting makes room again.
    for (const id of written.splice(0)) await store.transaction((tx) => tx.deleteOrganization(id));
    await write();
    expect(await store.findOrganization(written[0] ?? '')).toBeDefined();
  });

  test('does not let work go on alone after SQLite has rolled back', async () => {
    await store.close();
    store = await openSqliteStore({ file: folder.file, keyring: TEST_KEYRING, maxPages: 150 });
    const small = makeOrganization();
    const stubborn = store.transaction(async (tx) => {
      const tooLarge = tx.insertOrganization(makeOrganization({ name: 'x'.repeat(1_000_000) }));
      await tooLarge.catch(() => {});
      await tx.insertOrganization(small);
      throw new Error('on purpose');
    });
    await expect(stubborn).rejects.toThrow(Error);
    expect(await store.findOrganization(small.id)).toBeUndefined();
  });
});

describe('another process that holds the write lock', () => {
  test('makes transactions unavailable with a hint when to try again, while reading goes on', async () => {
    const organization = await insertOrganization(store);
    const other = new DatabaseSync(folder.file);
    other.exec('BEGIN IMMEDIATE');
    const [first, second] = await Promise.allSettled([
      store.transaction((tx) => tx.deleteOrganization(organization.id)),
      store.ping(),
      store.findOrganization(organization.id),
    ]);
    other.exec('ROLLBACK');
    other.close();
    const unavailable = {
      name: 'DomainError',
      code: 'unavailable',
      retryAfterMs: expect.any(Number),
    };
    expect(first).toMatchObject({ status: 'rejected', reason: unavailable });
    expect(second).toMatchObject({ status: 'rejected', reason: unavailable });
    expect(await store.findOrganization(organization.id)).toEqual(organization);
    await store.ping();
  });
});

describe('transactions at the same time', () => {
  const insert = (organization: Organization) =>
    store.transaction((tx) => tx.insertOrganization(organization));

  test('reach the disk together, before any of them is acknowledged', async () => {
    const other = new DatabaseSync(folder.file, { readOnly: true });
    const readVersion = () => other.prepare('PRAGMA data_version').get()?.['data_version'];
    const find = other.prepare('SELECT id FROM organization WHERE id = ?');
    const versions = new Set([readVersion()]);
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const organization = makeOrganization();
        await insert(organization);
        expect(find.get(organization.id)).toEqual({ id: organization.id });
        versions.add(readVersion());
      }),
    );
    expect(versions.size).toBe(2);
    other.close();
  });

  test('are undone alone, each with its own error', async () => {
    const organizations = Array.from({ length: 20 }, () => makeOrganization());
    const outcomes = await Promise.allSettled(
      organizations.map((organization, index) =>
        store.transaction(async (tx) => {
          await tx.insertOrganization(organization);
          await tx.insertUser(makeUser(organization.id));
          if (index % 3 === 0) throw new Error(`on purpose ${index}`);
        }),
      ),
    );
    for (const [index, organization] of organizations.entries()) {
      const isUndone = index % 3 === 0;
      const reason = new Error(`on purpose ${index}`);
      expect(outcomes[index]).toEqual(
        isUndone ? { status: 'rejected', reason } : { status: 'fulfilled', value: undefined },
      );
      const wanted = isUndone ? undefined : organization;
      expect(await store.findOrganization(organization.id)).toEqual(wanted);
    }
  });

  test('do nothing more once they have ended, and so nothing in the next', async () => {
    const [late, next] = [makeOrganization(), makeOrganization()];
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    let straying: Promise<void> | undefined;
    const failing = store.transaction(async (tx) => {
      straying = begun.then(() => tx.insertOrganization(late));
      throw new Error('on purpose');
    });
    await expect(failing).rejects.toThrow('on purpose');
    await store.transaction(async (tx) => {
      begin();
      await expect(straying).rejects.toThrow('already rolled back');
      await tx.insertOrganization(next);
    });
    expect(await store.findOrganization(late.id)).toBeUndefined();
    expect(await store.findOrganization(next.id)).toEqual(next);
  });

  test('that find the disk full lose nothing that was acknowledged', async () => {
    await store.close();
    const pages = 120;
    store = await openSqliteStore({ file: folder.file, keyring: TEST_KEYRING, maxPages: pages });
    const organizations = Array.from({ length: 40 }, (_, index) =>
      makeOrganization({ name: 'x'.repeat(index % 5 === 0 ? 90_000 : 10) }),
    );
    const outcomes = await Promise.allSettled(organizations.map(insert));
    const rejected = outcomes.filter(({ status }) => status === 'rejected');
    expect(rejected.length).toBeGreaterThan(0);
    for (const outcome of rejected)
      expect(outcome).toMatchObject({ reason: { name: 'DomainError' } });
    await store.close();
    store = await openSqliteStore({ file: folder.file, keyring: TEST_KEYRING });
    for (const [index, organization] of organizations.entries()) {
      const found = await store.findOrganization(organization.id);
      expect(found).toEqual(outcomes[index]?.status === 'fulfilled' ? organization : undefined);
    }
  });
});

describe('a token that was just looked up', () => {
  const suspend = async (at: Store, id: string): Promise<void> =>
    at.transaction(async (tx) => {
      const user = await tx.lockUser(id);
      if (user !== undefined) await tx.updateUser({ ...user, status: 'suspended' });
    });

  test.each(['this process', 'another process'])('is what %s has made of it since', async (who) => {
    const { id: organizationId } = await insertOrganization(store);
    const user = makeUser(organizationId);
    await insertUsers(store, [user]);
    const [token, digest] = [makeToken(user.id), makeDigest()];
    await store.transaction((tx) => tx.insertPersonalAccessToken(token, digest));
    const other =
      who === 'this process'
        ? store
        : await openSqliteStore({ file: folder.file, keyring: TEST_KEYRING });
    const find = async () => {
      await store.findTokenByDigest(digest);
      return store.findTokenByDigest(digest);
    };
    expect(await find()).toEqual({ token, user });
    await other.transaction((tx) => tx.recordTokenUses(new Map([[token.id, new Date(9)]])));
    expect(await find()).toEqual({ token: { ...token, lastUsedAt: new Date(9) }, user });
    await suspend(other, user.id);
    expect((await find())?.user.status).toBe('suspended');
    await other.transaction((tx) => tx.deletePersonalAccessToken(token.id));
    expect(await find()).toBeUndefined();
    if (other !== store) await other.close();
  });

  test('as the largest page of configurations is', async () => {
    const { id } = await insertOrganization(store);
    await store.transaction(async (tx) => {
      for (let count = 0; count < 100; count += 1)
        await tx.insertSsoConfiguration(makeSsoConfiguration(id), 'secret');
    });
    const page = await store.listSsoConfigurations(id, { size: 100 });
    expect(page.rows).toHaveLength(100);
    expect(store.listSsoConfigurations(id, { size: 100 })).toBe(page);
    await store.transaction((tx) => tx.deleteSsoConfiguration(page.rows[0]?.id ?? ''));
    const changed = await store.listSsoConfigurations(id, { size: 100 });
    expect(changed.rows).toEqual(page.rows.slice(1));
  });

  test('as a configuration and its organization are', async () => {
    const organization = await insertOrganization(store);
    const configuration = makeSsoConfiguration(organization.id);
    await store.transaction((tx) => tx.insertSsoConfiguration(configuration, 'secret'));
    const find = async () => [
      await store.findSsoConfiguration(configuration.id),
      await store.findOrganization(organization.id),
    ];
    expect(await find()).toEqual([configuration, organization]);
    const other = await openSqliteStore({ file: folder.file, keyring: TEST_KEYRING });
    const changed = { ...configuration, displayName: 'changed', revision: 2 };
    const renamed = { ...organization, name: 'renamed' };
    await other.transaction(async (tx) => {
      await tx.updateSsoConfiguration(changed);
      await tx.updateOrganization(renamed);
    });
    expect(await find()).toEqual([changed, renamed]);
    await other.transaction((tx) => tx.deleteOrganization(organization.id));
    expect(await find()).toEqual([undefined, undefined]);
    await other.close();
  });
});

test('A ping writes', async () => {
  const other = new DatabaseSync(folder.file);
  const readVersion = () => other.prepare('PRAGMA data_version').get()?.['data_version'];
  const before = readVersion();
  await store.ping();
  expect(readVersion()).not.toBe(before);
  other.close();
});

describe('what SQLite says', () => {
  test('is not repeated, and kept as the cause for the log', async () => {
    const database = new DatabaseSync(folder.file);
    database.exec('alter table organization rename column name to other_name');
    database.close();
    const error: unknown = await (async () => store.findOrganization('x'))().catch(
      (error: unknown) => error,
    );
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(DomainError);
    expect(error).toMatchObject({
      message: 'The database refused a statement',
      cause: { message: expect.stringContaining('no such column') },
    });
  });

  test('of a damaged page is an error of ours', async () => {
    const { id } = await insertOrganization(store);
    const users = Array.from({ length: 200 }, () => makeUser(id));
    await insertUsers(store, users);
    await store.close();
    const database = new DatabaseSync(folder.file);
    const page = database
      .prepare(`select rootpage from sqlite_schema where name = 'user_account'`)
      .get();
    database.close();
    const { open } = await import('node:fs/promises');
    const handle = await open(folder.file, 'r+');
    await handle.write(Buffer.alloc(4096, 0xaa), 0, 4096, (Number(page?.['rootpage']) - 1) * 4096);
    await handle.close();
    store = await openSqliteStore({ file: folder.file, keyring: TEST_KEYRING });
    await expect(store.findUser(users[0]?.id ?? '')).rejects.toThrow(
      'The database file is damaged',
    );
    expect(await store.findOrganization(id)).toBeDefined();
  });
});

describe('queries that every caller may make', () => {
  test('find their rows by an index and sort none, however many there are', async () => {
    const database = new DatabaseSync(folder.file);
    const statements: string[] = [];
    const reader = new Kysely<Database>({
      dialect: createReadingDialect(createConnection(database)),
      log: ({ query }) => void statements.push(query.sql),
    });
    const watched = createSqlStore(
      {
        reader,
        runTransaction: (work) => work(reader),
        runWrite: (write) => write(reader),
        locksRows: false,
        close: async () => {},
      },
      TEST_KEYRING,
    );
    const page = { size: 25 };
    const next = { size: 25, after: ['x'] as const };
    await watched.findOrganization('x');
    await watched.findUser('x');
    await watched.findTokenByDigest('x');
    await watched.findPersonalAccessToken('x');
    await watched.listPersonalAccessTokens(['x'], page);
    await watched.listPersonalAccessTokens(['x'], next);
    await watched.findSsoConfiguration('x');
    await watched.readClientSecret('x');
    await watched.listSsoConfigurations('x', page);
    await watched.listSsoConfigurations('x', next);
    await watched.findDomainVerification('x');
    await watched.listDomainVerifications('x', page);
    await watched.listDomainVerifications('x', next);
    await watched.countActiveAdmins('x');
    await watched.countActiveOperators({});
    await watched.countMembers(queryMembers('x', { search: 'x' }));
    for (const field of ['name', 'joined'] as const) {
      for (const descending of [false, true]) {
        const query = queryMembers('x', { search: 'x', roles: ['admin'] }, { field, descending });
        await watched.listMembers(query, page);
        await watched.listMembers(query, { ...page, after: [field === 'name' ? 'x' : 1, 'x'] });
      }
    }
    await watched.transaction((tx) => tx.recordTokenUses(new Map([['x', new Date(1)]])));
    await watched.transaction((tx) => tx.deletePersonalAccessTokensOf('x'));
    expect(statements.length).toBeGreaterThan(20);
    const plans = statements.map((statement) => {
      const steps = database.prepare(`EXPLAIN QUERY PLAN ${statement}`).all();
      return `${statement}: ${steps.map(({ detail }) => detail).join('; ')}`;
    });
    expect(plans.filter((plan) => /: .*(?:SCAN|TEMP B-TREE)/.test(plan))).toEqual([]);
    database.close();
  });
});
