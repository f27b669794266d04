/** Owns a store with rows in every table, for tests of what concerns them all. */
import { v7 as newId } from 'uuid';
import type { Store } from '../../src/domain/ports.ts';
import type { Keyring } from '../../src/store/keyring.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { makePlainSqlite } from '../../src/store/plain-sqlite.ts';
import type { PlainDatabase } from '../../src/store/plain-database.ts';
import {
  insertAttempt,
  insertLoginHome,
  insertSession,
  makeLoginAttempt,
  makePendingLogin,
  makeSession,
  makeTokenSession,
} from '../store/login-fixtures.ts';
import {
  makeDigest,
  makeDomainVerification,
  makeSigningKey,
  makeToken,
  NOW,
} from '../store/store-fixtures.ts';

/** What its configurations have as their client secret. */
export const CLIENT_SECRET = 'secret';

export interface FilledStore {
  readonly configurationIds: readonly string[];
}

/** Makes the file with so many organizations, each with some of everything. */
export async function fillSqliteStore(
  file: string,
  keyring: Keyring,
  organizations = 3,
): Promise<FilledStore> {
  const store = await openSqliteStore({ file, keyring });
  const configurationIds: string[] = [];
  for (let count = 0; count < organizations; count += 1) {
    configurationIds.push(await fillOrganization(store));
  }
  await store.close();
  const plain = await makePlainSqlite(file);
  await fillLimits(plain);
  await plain.close();
  return { configurationIds };
}

async function fillOrganization(store: Store): Promise<string> {
  const home = await insertLoginHome(store, {
    claims: { email: 'mail' },
    displayName: 'Ä🚀 "\\ \t',
  });
  const { configuration, user, organizationId } = home;
  const token = makeToken(user.id, { expiresAt: NOW });
  await store.transaction(async (tx) => {
    await tx.insertDomainVerification(makeDomainVerification(organizationId));
    await tx.insertPersonalAccessToken(token, makeDigest());
    await tx.insertSigningKey(makeSigningKey());
    await tx.insertPendingLogin(makePendingLogin(configuration));
    await tx.insertIdentity({
      ssoConfigurationId: configuration.id,
      issuer: configuration.issuerUrl,
      subject: newId(),
      userId: user.id,
    });
    await tx.insertAuditRecord({
      id: newId(),
      organizationId,
      at: NOW,
      actor: { kind: 'token', userId: user.id, credentialId: token.id },
      subject: { type: 'sso_configuration', id: configuration.id },
      action: 'sso_configuration.updated',
      reason: undefined,
      fields: ['client_secret'],
      count: 1,
    });
    await tx.insertTestLogin({
      id: newId(),
      organizationId,
      ssoConfigurationId: undefined,
      phase: 'waiting',
      tokenDigest: makeDigest(),
      stateDigest: undefined,
      browserDigest: undefined,
      expiresAt: NOW,
      content: {
        kind: 'plan',
        configuration,
        secret: { kind: 'given', secret: CLIENT_SECRET },
        nonce: 'nonce',
        codeVerifier: 'verifier',
      },
    });
  });
  await insertSession(store, makeSession(home));
  await insertSession(store, makeTokenSession(token));
  await insertAttempt(store, makeLoginAttempt(configuration), { sub: 'x' });
  await insertAttempt(store, makeLoginAttempt(configuration));
  return configuration.id;
}

async function fillLimits(plain: PlainDatabase): Promise<void> {
  await plain.run('insert into rate_limit ("key", "count", ends_at) values (?, ?, ?)', [
    'ä',
    2,
    NOW.getTime(),
  ]);
}
