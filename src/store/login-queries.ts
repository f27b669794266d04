/** Owns the queries of a login on its way: who may begin one, logins that wait for their callback, and identities. */
import { createHash } from 'node:crypto';
import { normalizeEmail } from '../domain/email-domain.ts';
import type { LoginReader, LoginWriter } from '../domain/login-ports.ts';
import type { PendingLogin } from '../domain/pending-login.ts';
import { writeJson } from './json-column.ts';
import type { Keyring } from './keyring.ts';
import type { PendingLoginTable } from './schema.ts';
import { openOrRefuse, sealSecret } from './secret-box.ts';
import type { SecretPlace } from './secret-box.ts';
import { lockRow } from './sql-session.ts';
import type { SqlSession } from './sql-session.ts';
import { readConfiguration, SSO_CONFIGURATION_COLUMNS } from './sso-configuration-queries.ts';
import { readUser, USER_COLUMNS } from './user-queries.ts';

type Reads = Pick<LoginReader, 'listSsoConfigurationsForLogin'>;
type Writes = Pick<
  LoginWriter,
  | 'insertPendingLogin'
  | 'takePendingLogin'
  | 'isDomainVerified'
  | 'findUserByIdentity'
  | 'hasIdentity'
  | 'insertIdentity'
  | 'listUsersByEmail'
>;

/** What a person can still choose among. */
const MAX_CHOICES = 100;

/** What of a pending login is stored encrypted. */
type Secrets = Pick<PendingLogin, 'nonce' | 'codeVerifier' | 'returnTo' | 'email'>;

export function createLoginReads({ db }: SqlSession): Reads {
  return {
    async listSsoConfigurationsForLogin(emailDomain) {
      const rows = await db
        .selectFrom('sso_configuration_domain as route')
        .innerJoin('domain_verification as proof', (join) =>
          join
            .onRef('proof.organization_id', '=', 'route.organization_id')
            .onRef('proof.domain_key', '=', 'route.domain'),
        )
        .innerJoin(
          'sso_configuration as configuration',
          'configuration.id',
          'route.configuration_id',
        )
        .select(SSO_CONFIGURATION_COLUMNS.map((column) => `configuration.${column}` as const))
        .where('route.domain', '=', emailDomain)
        .where('proof.state', '=', 'verified')
        .where('configuration.state', '=', 'active')
        .orderBy('configuration.id')
        .limit(MAX_CHOICES)
        .execute();
      return rows.map(readConfiguration);
    },
  };
}

export function createLoginWrites(session: SqlSession): Writes {
  const { db, keyring } = session;
  return {
    async insertPendingLogin(pending) {
      await db.insertInto('pending_login').values(writePendingLogin(pending, keyring)).execute();
    },

    async takePendingLogin(stateDigest, now) {
      const key = stateDigest;
      const query = db.selectFrom('pending_login').selectAll().where('state_digest', '=', key);
      const row = await lockRow(session, query).executeTakeFirst();
      if (row === undefined) return undefined;
      const replayed = row.taken_at !== null;
      if (!replayed) {
        await db
          .updateTable('pending_login')
          .set({ taken_at: now.getTime() })
          .where('state_digest', '=', key)
          .execute();
      }
      return { pending: readPendingLogin(row, keyring), replayed };
    },

    async isDomainVerified(organizationId, domain) {
      const row = await db
        .selectFrom('domain_verification')
        .select('id')
        .where('organization_id', '=', organizationId)
        .where('domain_key', '=', domain)
        .where('state', '=', 'verified')
        .executeTakeFirst();
      return row !== undefined;
    },

    async findUserByIdentity(configurationId, issuer, subject) {
      const query = db
        .selectFrom('identity')
        .innerJoin('user_account', 'user_account.id', 'identity.user_id')
        .select(USER_COLUMNS.map((column) => `user_account.${column}` as const))
        .where('identity.configuration_id', '=', configurationId)
        .where('identity.identity_key', '=', digestIdentity(issuer, subject));
      const row = await lockRow(session, query, 'user_account').executeTakeFirst();
      return row && readUser(row);
    },

    async hasIdentity(configurationId, userId) {
      const row = await db
        .selectFrom('identity')
        .select('user_id')
        .where('user_id', '=', userId)
        .where('configuration_id', '=', configurationId)
        .executeTakeFirst();
      return row !== undefined;
    },

    async insertIdentity({ ssoConfigurationId, issuer, subject, userId }) {
      const row = {
        configuration_id: ssoConfigurationId,
        identity_key: digestIdentity(issuer, subject),
        issuer,
        subject,
        user_id: userId,
      };
      await db.insertInto('identity').values(row).execute();
    },

    async listUsersByEmail(organizationId, email) {
      const query = db
        .selectFrom('user_account')
        .select(USER_COLUMNS)
        .where('organization_id', '=', organizationId)
        .where('email_key', '=', normalizeEmail(email))
        .orderBy('id')
        .limit(2);
      const rows = await lockRow(session, query).execute();
      return rows.map(readUser);
    },
  };
}

function digestIdentity(issuer: string, subject: string): string {
  return createHash('sha256')
    .update(JSON.stringify([issuer, subject]))
    .digest('base64url');
}

export function placeSecrets(stateDigest: string, configurationId: string): SecretPlace {
  return ['pending-login', configurationId, stateDigest, 'secrets'];
}

function writePendingLogin(pending: PendingLogin, keyring: Keyring): PendingLoginTable {
  const { nonce, codeVerifier, returnTo, email } = pending;
  const secrets: Secrets = { nonce, codeVerifier, returnTo, email };
  const stateDigest = pending.stateDigest;
  const place = placeSecrets(stateDigest, pending.ssoConfigurationId);
  const { keyId, box } = sealSecret(keyring, place, writeJson(secrets));
  return {
    state_digest: stateDigest,
    id: pending.id,
    browser_digest: pending.browserDigest,
    organization_id: pending.organizationId,
    configuration_id: pending.ssoConfigurationId,
    revision: pending.revision,
    secrets: box,
    key_id: keyId,
    expires_at: pending.expiresAt.getTime(),
    taken_at: null,
  };
}

function readPendingLogin(row: PendingLoginTable, keyring: Keyring): PendingLogin {
  const place = placeSecrets(row.state_digest, row.configuration_id);
  return {
    ...openSecrets(keyring, place, row),
    id: row.id,
    stateDigest: row.state_digest,
    browserDigest: row.browser_digest,
    organizationId: row.organization_id,
    ssoConfigurationId: row.configuration_id,
    revision: row.revision,
    expiresAt: new Date(row.expires_at),
  };
}

function openSecrets(keyring: Keyring, place: SecretPlace, row: PendingLoginTable): Secrets {
  return JSON.parse(
    openOrRefuse(
      keyring,
      place,
      { keyId: row.key_id, box: row.secrets },
      'This login began under an encryption key that is gone. Begin again.',
    ),
  );
}
