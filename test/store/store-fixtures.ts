/** Owns the rows that the store's tests write. Each call makes a new one; what a test does not care for has a default. */
import { readIssuerOrigin } from '../../src/domain/client-secret.ts';
import { createHash, randomBytes } from 'node:crypto';
import { v7 as newId } from 'uuid';
import type { DomainVerification } from '../../src/domain/domain-verification.ts';
import type { SigningKey } from '../../src/domain/id-token.ts';
import type { MemberQuery, Organization, User } from '../../src/domain/organization.ts';
import type { Cursor, Page, PageRequest } from '../../src/domain/page.ts';
import type { Store } from '../../src/domain/ports.ts';
import type { SsoConfiguration } from '../../src/domain/sso-configuration.ts';
import type { PersonalAccessToken } from '../../src/domain/token.ts';

export const NOW = new Date('2026-03-01T12:00:00.123Z');

export function makeOrganization(given: Partial<Organization> = {}): Organization {
  return {
    id: newId(),
    name: 'Ächme 🚀',
    inviteDomains: [],
    createdAt: NOW,
    updatedAt: NOW,
    ...given,
  };
}

export function makeUser(organizationId: string, given: Partial<User> = {}): User {
  return {
    id: newId(),
    organizationId,
    name: 'Ada Lovelace',
    email: 'Ada@Example.com',
    avatarUrl: '',
    role: 'member',
    status: 'active',
    operator: false,
    loginProvider: 'token',
    createdAt: NOW,
    ...given,
  };
}

export function makeSsoConfiguration(
  organizationId: string,
  given: Partial<SsoConfiguration> = {},
): SsoConfiguration {
  const id = newId();
  return {
    id,
    organizationId,
    clientId: `client-${id}`,
    issuerUrl: 'https://idp.example.com/Tenant/',
    state: 'active',
    providerType: 'custom',
    claims: {},
    emailDomains: ['Example.com'],
    displayName: '',
    additionalScopes: [],
    claimsExpression: '',
    secretOrigin: readIssuerOrigin(given.issuerUrl ?? 'https://idp.example.com/'),
    revision: 1,
    createdAt: NOW,
    updatedAt: NOW,
    ...given,
  };
}

export function makeDomainVerification(
  organizationId: string,
  given: Partial<DomainVerification> = {},
): DomainVerification {
  return {
    id: newId(),
    organizationId,
    domain: 'Example.com',
    state: 'pending',
    token: randomBytes(16).toString('hex'),
    createdAt: NOW,
    verifiedAt: undefined,
    ...given,
  };
}

export function makeToken(
  userId: string,
  given: Partial<PersonalAccessToken> = {},
): PersonalAccessToken {
  return {
    id: newId(),
    userId,
    description: 'for a test',
    creatorId: userId,
    readOnly: false,
    createdAt: NOW,
    expiresAt: undefined,
    lastUsedAt: undefined,
    ...given,
  };
}

export function makeDigest(): string {
  return createHash('sha256').update(randomBytes(20)).digest('base64url');
}

export function makeSigningKey(given: Partial<SigningKey> = {}): SigningKey {
  const publicKey = { kty: 'EC', crv: 'P-256', x: 'x-coordinate', y: 'y-coordinate' };
  return {
    id: newId(),
    publicKey,
    privateKey: { ...publicKey, d: `private-${newId()}` },
    createdAt: NOW,
    ...given,
  };
}

export function queryMembers(
  organizationId: string,
  filter: Partial<MemberQuery['filter']> = {},
  sort: MemberQuery['sort'] = { field: 'name', descending: false },
): MemberQuery {
  return {
    organizationId,
    filter: { search: '', statuses: [], roles: [], userIds: [], ...filter },
    sort,
  };
}

export async function insertOrganization(
  store: Store,
  given: Partial<Organization> = {},
): Promise<Organization> {
  const organization = makeOrganization(given);
  await store.transaction((tx) => tx.insertOrganization(organization));
  return organization;
}

export async function insertUsers(store: Store, users: readonly User[]): Promise<void> {
  await store.transaction(async (tx) => {
    for (const user of users) await tx.insertUser(user);
  });
}

/** Reads all pages; `between` is run after each. */
export async function readAll<Row>(
  read: (page: PageRequest) => Promise<Page<Row>>,
  size: number,
  between: (rows: readonly Row[]) => Promise<void> = async () => {},
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let after: Cursor | undefined;
  do {
    const page = await read({ size, after });
    rows.push(...page.rows);
    after = page.next;
    await between(page.rows);
  } while (after !== undefined);
  return rows;
}
