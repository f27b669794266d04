// Owns what tests need and no RPC does: people with any role and status, and tokens of any age. It opens the running
// server's own database a second time, as another process would.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { v7 as newId } from 'uuid';

import type { Organization, User } from '../../src/domain/organization.ts';
import type { Store } from '../../src/domain/ports.ts';
import { digestToken, generateToken } from '../../src/domain/token.ts';
import type { PersonalAccessToken } from '../../src/domain/token.ts';
import { loadOrCreateKeyFile } from '../../src/store/key-file.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import type { StartedClaimgate } from './start-claimgate.ts';

export interface Person {
  readonly user: User;
  readonly token: string;
}

export interface Backstage {
  readonly store: Store;
  readonly addOrganization: (name?: string) => Promise<string>;
  /** With a token that does not expire; an active member unless said otherwise. */
  readonly addPerson: (organizationId: string, user?: Partial<User>) => Promise<Person>;
  readonly addToken: (
    userId: string,
    token: { readonly readOnly?: boolean; readonly expiresAt?: Date },
  ) => Promise<string>;
  readonly close: () => Promise<void>;
}

export async function openBackstage({
  folder,
}: Pick<StartedClaimgate, 'folder'>): Promise<Backstage> {
  const store = await openSqliteStore({
    file: join(folder, 'claimgate.db'),
    keyring: await loadOrCreateKeyFile(join(folder, 'claimgate.key')),
  });
  return {
    store,
    async addOrganization(name) {
      const organization = describeOrganization(name);
      await store.transaction((tx) => tx.insertOrganization(organization));
      return organization.id;
    },
    async addPerson(organizationId, given) {
      const user = describeUser(organizationId, given);
      const token = generateToken(randomBytes);
      await store.transaction(async (tx) => {
        await tx.insertUser(user);
        await tx.insertPersonalAccessToken(describeToken(user.id), digestToken(token));
      });
      return { user, token };
    },
    async addToken(userId, given) {
      const token = generateToken(randomBytes);
      const record = describeToken(userId, given);
      await store.transaction((tx) => tx.insertPersonalAccessToken(record, digestToken(token)));
      return token;
    },
    close: () => store.close(),
  };
}

export function describeOrganization(name = 'Initech'): Organization {
  const now = new Date();
  return { id: newId(), name, inviteDomains: [], createdAt: now, updatedAt: now };
}

export function describeUser(organizationId: string, given: Partial<User> = {}): User {
  const id = newId();
  return {
    id,
    organizationId,
    name: 'Ada',
    email: `${id}@example.com`,
    avatarUrl: '',
    role: 'member',
    status: 'active',
    operator: false,
    loginProvider: 'token',
    createdAt: new Date(),
    ...given,
  };
}

export function describeToken(
  userId: string,
  given: Partial<PersonalAccessToken> = {},
): PersonalAccessToken {
  return {
    id: newId(),
    userId,
    description: 'made by the test',
    creatorId: userId,
    readOnly: false,
    createdAt: new Date(),
    expiresAt: undefined,
    lastUsedAt: undefined,
    ...given,
  };
}
