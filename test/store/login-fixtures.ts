/** Owns the rows of logins that the store's tests write; `store-fixtures.ts` owns those that they belong to. */
import { v7 as newId } from 'uuid';
import type { LoginAttempt, LoginAttemptRetention } from '../../src/domain/login-attempt.ts';
import type { PendingLogin } from '../../src/domain/pending-login.ts';
import type { User } from '../../src/domain/organization.ts';
import type { Store } from '../../src/domain/ports.ts';
import type { Session, SsoSession, TokenSession } from '../../src/domain/session.ts';
import type { SsoConfiguration } from '../../src/domain/sso-configuration.ts';
import type { PersonalAccessToken } from '../../src/domain/token.ts';
import {
  insertOrganization,
  insertUsers,
  makeDigest,
  makeSsoConfiguration,
  makeUser,
  NOW,
} from './store-fixtures.ts';

export const HOUR = 60 * 60 * 1000;
export const DAY = 24 * HOUR;
export const RETENTION: LoginAttemptRetention = { claimsPerConfiguration: 200, maxAgeMs: 30 * DAY };

export interface LoginHome {
  readonly organizationId: string;
  readonly configuration: SsoConfiguration;
  readonly user: User;
}

/** An organization with a configuration and a member. */
export async function insertLoginHome(
  store: Store,
  given: Partial<SsoConfiguration> = {},
): Promise<LoginHome> {
  const { id: organizationId } = await insertOrganization(store);
  const configuration = await insertConfiguration(store, organizationId, given);
  const user = makeUser(organizationId);
  await insertUsers(store, [user]);
  return { organizationId, configuration, user };
}

export async function insertConfiguration(
  store: Store,
  organizationId: string,
  given: Partial<SsoConfiguration> = {},
): Promise<SsoConfiguration> {
  const configuration = makeSsoConfiguration(organizationId, given);
  await store.transaction((tx) => tx.insertSsoConfiguration(configuration, 'secret'));
  return configuration;
}

export function makePendingLogin(
  { organizationId, id: ssoConfigurationId, revision }: SsoConfiguration,
  given: Partial<PendingLogin> = {},
): PendingLogin {
  return {
    id: newId(),
    stateDigest: makeDigest(),
    browserDigest: makeDigest(),
    organizationId,
    ssoConfigurationId,
    revision,
    nonce: 'nonce-of-the-test',
    codeVerifier: 'verifier-of-the-test',
    returnTo: 'https://app.example.com/päge?a=b#c',
    email: 'Ada@Example.com',
    expiresAt: new Date(NOW.getTime() + 10 * 60 * 1000),
    ...given,
  };
}

export function makeSession(
  { configuration, user }: Pick<LoginHome, 'configuration' | 'user'>,
  given: Partial<SsoSession> = {},
): SsoSession {
  return {
    id: newId(),
    userId: user.id,
    ssoConfigurationId: configuration.id,
    createdAt: NOW,
    lastUsedAt: NOW,
    ...given,
  };
}

export function makeTokenSession(
  token: Pick<PersonalAccessToken, 'id' | 'userId'>,
  given: Partial<TokenSession> = {},
): TokenSession {
  const { id: tokenId, userId } = token;
  return { id: newId(), userId, tokenId, createdAt: NOW, lastUsedAt: NOW, ...given };
}

export async function insertSession(
  store: Store,
  session: Session,
  digest = makeDigest(),
): Promise<string> {
  await store.transaction((tx) => tx.insertSession(session, digest));
  return digest;
}

export function makeLoginAttempt(
  { organizationId, id: ssoConfigurationId, revision }: SsoConfiguration,
  given: Partial<LoginAttempt> = {},
): LoginAttempt {
  return {
    id: newId(),
    organizationId,
    ssoConfigurationId,
    revision,
    outcome: 'refused',
    stage: 'policy',
    reason: 'rule_refused',
    detail: 'The rule is "false" for these claims: ä\u{1f511}',
    maskedEmail: 'a***@example.com',
    address: '2001:db8::1',
    at: NOW,
    ...given,
  };
}

export async function insertAttempt(
  store: Store,
  attempt: LoginAttempt,
  claims?: Readonly<Record<string, unknown>>,
  retention: LoginAttemptRetention = RETENTION,
): Promise<LoginAttempt> {
  await store.transaction((tx) => tx.insertLoginAttempt(attempt, claims, retention));
  return attempt;
}
