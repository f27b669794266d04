import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { KNOWN_MIGRATIONS } from '../../src/store/migrations/known-migrations.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { insertLoginHome, makeSession } from './login-fixtures.ts';
import { createTemporaryFolder, TEST_KEYRING } from './sqlite-files.ts';
import { makeDigest } from './store-fixtures.ts';

test('The migration to sessions of tokens signs nobody out', async () => {
  await using folder = await createTemporaryFolder();
  const { file } = folder;
  const before = KNOWN_MIGRATIONS.filter(({ name }) => name < '0004-token-session');
  const old = await openSqliteStore({ file, keyring: TEST_KEYRING, migrations: before });
  const home = await insertLoginHome(old);
  await old.close();
  const session = makeSession(home);
  const digest = makeDigest();
  const database = new DatabaseSync(file);
  database
    .prepare(
      'insert into session (id, digest, user_id, configuration_id, created_at, last_used_at) values (?, ?, ?, ?, ?, ?)',
    )
    .run(
      session.id,
      digest,
      session.userId,
      session.ssoConfigurationId,
      session.createdAt.getTime(),
      session.lastUsedAt.getTime(),
    );
  database.close();
  const store = await openSqliteStore({ file, keyring: TEST_KEYRING });
  expect(await store.findSessionByDigest(digest)).toEqual({ session, user: home.user });
  await store.close();
});
