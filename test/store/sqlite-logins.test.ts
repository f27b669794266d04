import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/domain/ports.ts';
import { parseEncryptionKeys } from '../../src/store/keyring.ts';
import { createConnection, createReadingDialect } from '../../src/store/node-sqlite-dialect.ts';
import type { Database } from '../../src/store/schema.ts';
import { createSqlStore } from '../../src/store/sql-store.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import {
  insertAttempt,
  insertLoginHome,
  insertSession,
  makeLoginAttempt,
  makePendingLogin,
  makeSession,
  RETENTION,
} from './login-fixtures.ts';
import type { LoginHome } from './login-fixtures.ts';
import { createTemporaryFolder, findText, TEST_KEYRING } from './sqlite-files.ts';
import type { TemporaryFolder } from './sqlite-files.ts';
import { NOW } from './store-fixtures.ts';

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

/** Changes the file as somebody would who has got hold of it. */
function tamper(statement: string): void {
  const database = new DatabaseSync(folder.file);
  database.exec(statement);
  database.close();
}

async function insertPending({ configuration }: LoginHome, nonce = 'nonce') {
  const pending = makePendingLogin(configuration, { nonce });
  await store.transaction((tx) => tx.insertPendingLogin(pending));
  return pending;
}

const take = (stateDigest: string) =>
  store.transaction((tx) => tx.takePendingLogin(stateDigest, NOW));

describe('what stands of logins in the database files', () => {
  test('is no secret of a pending login, no claim and no session token, open or closed', async () => {
    const home = await insertLoginHome(store);
    const pending = makePendingLogin(home.configuration, {
      nonce: `${CANARY}-nonce`,
      codeVerifier: `${CANARY}-verifier`,
      returnTo: `https://app.example.com/${CANARY}`,
      email: `${CANARY}@example.com`,
    });
    await store.transaction((tx) => tx.insertPendingLogin(pending));
    const attempt = makeLoginAttempt(home.configuration);
    await insertAttempt(store, attempt, { sub: `${CANARY}-sub`, [`${CANARY}-claim`]: 1 });
    await insertSession(store, makeSession(home));
    expect(await take(pending.stateDigest)).toEqual({ pending, replayed: false });
    expect(await findText(folder.path, CANARY)).toEqual([]);
    expect(await findText(folder.path, attempt.id)).not.toEqual([]);
    await store.close();
    expect(await findText(folder.path, CANARY)).toEqual([]);
  });
});

describe('a ciphertext that was moved or changed', () => {
  const refusal = { name: 'DomainError', code: 'failed_precondition' };

  test('opens no other pending login', async () => {
    const [home, other] = [await insertLoginHome(store), await insertLoginHome(store)];
    const theirs = await insertPending(other, CANARY);
    const mine = [await insertPending(home), await insertPending(other)];
    const box = `(SELECT secrets FROM pending_login WHERE id = '${theirs.id}')`;
    for (const { id, stateDigest } of mine) {
      tamper(`UPDATE pending_login SET secrets = ${box} WHERE id = '${id}'`);
      await expect(take(stateDigest)).rejects.toMatchObject(refusal);
    }
    expect(await take(theirs.stateDigest)).toMatchObject({ pending: theirs });
  });

  test('opens no pending login whose configuration was exchanged', async () => {
    const [home, other] = [await insertLoginHome(store), await insertLoginHome(store)];
    const { id, stateDigest } = await insertPending(home);
    tamper(
      `UPDATE pending_login SET configuration_id = '${other.configuration.id}' WHERE id = '${id}'`,
    );
    await expect(take(stateDigest)).rejects.toMatchObject(refusal);
  });

  test('is nobody’s claims', async () => {
    const [home, other] = [await insertLoginHome(store), await insertLoginHome(store)];
    const secret = await insertAttempt(store, makeLoginAttempt(other.configuration), { n: CANARY });
    const mine = [
      await insertAttempt(store, makeLoginAttempt(home.configuration), { n: 1 }),
      await insertAttempt(store, makeLoginAttempt(other.configuration), { n: 2 }),
    ];
    const box = `(SELECT claims FROM login_attempt WHERE id = '${secret.id}')`;
    for (const { id } of mine) {
      tamper(`UPDATE login_attempt SET claims = ${box} WHERE id = '${id}'`);
      await expect(store.readLoginAttemptClaims(id)).rejects.toMatchObject(refusal);
    }
    // Such as to show another organization's admin what is not theirs.
    const move = `organization_id = '${home.organizationId}', configuration_id = '${home.configuration.id}'`;
    tamper(`UPDATE login_attempt SET ${move} WHERE id = '${secret.id}'`);
    await expect(store.readLoginAttemptClaims(secret.id)).rejects.toMatchObject(refusal);
  });

  test.each(['', 'x', '1.x.y', 'a.b.c.d'])('such as %j is refused in both', async (box) => {
    const home = await insertLoginHome(store);
    const { stateDigest } = await insertPending(home);
    const { id } = await insertAttempt(store, makeLoginAttempt(home.configuration), { n: 1 });
    tamper(`UPDATE pending_login SET secrets = '${box}'`);
    tamper(`UPDATE login_attempt SET claims = '${box}'`);
    await expect(take(stateDigest)).rejects.toMatchObject(refusal);
    await expect(store.readLoginAttemptClaims(id)).rejects.toMatchObject(refusal);
  });

  test('and one whose key is gone is told from nothing, and its attempt is still listed', async () => {
    const home = await insertLoginHome(store);
    const { stateDigest } = await insertPending(home);
    const attempt = await insertAttempt(store, makeLoginAttempt(home.configuration), { n: 1 });
    await store.close();
    const keyring = parseEncryptionKeys(`another:${Buffer.alloc(32, 9).toString('base64')}`);
    store = await openSqliteStore({ file: folder.file, keyring });
    await expect(take(stateDigest)).rejects.toMatchObject(refusal);
    await expect(store.readLoginAttemptClaims(attempt.id)).rejects.toMatchObject(refusal);
    const { organizationId } = home;
    const { rows } = await store.listLoginAttempts({ organizationId }, { size: 1 });
    expect(rows).toMatchObject([attempt]);
  });
});

describe('queries of logins', () => {
  test('find their rows by an index, and sort none but the few that share an email or a domain', async () => {
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
    const home = await insertLoginHome(store);
    const { organizationId, configuration } = home;
    const next = { size: 25, after: [1, 'x'] as const };
    for (const ssoConfigurationId of [undefined, configuration.id]) {
      for (const outcome of [undefined, 'refused'] as const) {
        const filter = { organizationId, ssoConfigurationId, outcome };
        await watched.listLoginAttempts(filter, { size: 25 });
        await watched.listLoginAttempts(filter, next);
      }
    }
    await watched.listSsoConfigurationsForLogin('example.com');
    await watched.findSessionByDigest('x');
    await watched.readLoginAttemptClaims('x');
    await watched.transaction(async (tx) => {
      await tx.takePendingLogin('x', NOW);
      await tx.isDomainVerified('x', 'example.com');
      await tx.findUserByIdentity('x', 'y', 'z');
      await tx.hasIdentity('x', 'y');
      await tx.listUsersByEmail('x', 'ada@example.com');
      await tx.deleteSession('x');
      await tx.deleteSessionsOf('x');
      await tx.recordSessionUses(new Map([['x', NOW]]));
      // The second one takes the claims of the first away.
      for (const n of [1, 2]) {
        const retention = { ...RETENTION, claimsPerConfiguration: 1 };
        await tx.insertLoginAttempt(makeLoginAttempt(configuration), { n }, retention);
      }
    });
    expect(statements.filter((statement) => statement.startsWith('update'))).toHaveLength(2);
    const plans = statements
      .filter((statement) => !statement.startsWith('insert'))
      .map((statement) => {
        const steps = database.prepare(`EXPLAIN QUERY PLAN ${statement}`).all();
        return `${statement}: ${steps.map(({ detail }) => detail).join('; ')}`;
      });
    expect(plans.length).toBeGreaterThan(20);
    expect(plans.filter((plan) => /: .*SCAN/.test(plan))).toEqual([]);
    // By the last term alone are those sorted that have all others in common, such as the millisecond.
    const sorting = plans.filter((plan) => /TEMP B-TREE (?!FOR LAST TERM)/.test(plan));
    const few = /where "organization_id" = \? and "email_key" = \?|where "route"."domain" = \?/;
    expect(sorting.filter((plan) => !few.test(plan))).toEqual([]);
    database.close();
  });
});
