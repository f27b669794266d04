/** Owns the queries over test logins, whose content is stored encrypted. */
import type { TestLogin } from '../domain/test-login.ts';
import type { TrialReader, TrialWriter } from '../domain/trial-ports.ts';
import { writeJson } from './json-column.ts';
import type { Keyring } from './keyring.ts';
import type { TestLoginTable } from './schema.ts';
import { openOrRefuse, sealSecret } from './secret-box.ts';
import type { SecretPlace } from './secret-box.ts';
import { lockRow } from './sql-session.ts';
import type { SqlSession } from './sql-session.ts';

type Reads = Pick<TrialReader, 'findTestLogin'>;

export function createTestLoginReads({ db, keyring }: SqlSession): Reads {
  return {
    async findTestLogin(id) {
      const row = await db
        .selectFrom('test_login')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst();
      return row && readTestLogin(row, keyring);
    },
  };
}

export function createTestLoginWrites(session: SqlSession): TrialWriter {
  const { db, keyring } = session;
  return {
    async insertTestLogin(login) {
      await db.insertInto('test_login').values(writeTestLogin(login, keyring)).execute();
    },

    async lockTestLogin(by, digest) {
      const column = by === 'token' ? 'token_digest' : 'state_digest';
      const query = db.selectFrom('test_login').selectAll().where(column, '=', digest);
      const row = await lockRow(session, query).executeTakeFirst();
      return row && readTestLogin(row, keyring);
    },

    async updateTestLogin(login) {
      const { phase, state_digest, browser_digest, content, key_id } = writeTestLogin(
        login,
        keyring,
      );
      await db
        .updateTable('test_login')
        .set({ phase, state_digest, browser_digest, content, key_id })
        .where('id', '=', login.id)
        .execute();
    },
  };
}

export function placeContent(organizationId: string, id: string): SecretPlace {
  return ['test-login', organizationId, id, 'content'];
}

function writeTestLogin(login: TestLogin, keyring: Keyring): TestLoginTable {
  const place = placeContent(login.organizationId, login.id);
  const { keyId, box } = sealSecret(keyring, place, writeJson(login.content));
  return {
    id: login.id,
    organization_id: login.organizationId,
    configuration_id: login.ssoConfigurationId ?? null,
    phase: login.phase,
    token_digest: login.tokenDigest,
    state_digest: login.stateDigest === undefined ? null : login.stateDigest,
    browser_digest: login.browserDigest === undefined ? null : login.browserDigest,
    content: box,
    key_id: keyId,
    expires_at: login.expiresAt.getTime(),
  };
}

function readTestLogin(row: TestLoginTable, keyring: Keyring): TestLogin {
  return {
    id: row.id,
    organizationId: row.organization_id,
    ssoConfigurationId: row.configuration_id ?? undefined,
    phase: row.phase,
    tokenDigest: row.token_digest,
    stateDigest: row.state_digest === null ? undefined : row.state_digest,
    browserDigest: row.browser_digest === null ? undefined : row.browser_digest,
    expiresAt: new Date(row.expires_at),
    content: openContent(keyring, row),
  };
}

function openContent(keyring: Keyring, row: TestLoginTable): TestLogin['content'] {
  const place = placeContent(row.organization_id, row.id);
  return JSON.parse(
    openOrRefuse(
      keyring,
      place,
      { keyId: row.key_id, box: row.content },
      'This test login began under an encryption key that is gone. Start another.',
    ),
  );
}
