import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import {
  authenticateSession,
  computeSessionEnd,
  digestSessionToken,
  generateSessionToken,
} from '../../src/domain/session.ts';
import type { Session } from '../../src/domain/session.ts';
import type { User } from '../../src/domain/organization.ts';
import type { Store } from '../../src/domain/ports.ts';
import { makeUser } from '../store/store-fixtures.ts';

const START = new Date('2026-03-01T12:00:00Z');
const LIFETIME = { idleMs: 60_000, absoluteMs: 150_000 };

const after = (ms: number): Date => new Date(START.getTime() + ms);

const makeSession = (lastUsedAfter: number): Session => ({
  id: 'session',
  userId: 'user',
  ssoConfigurationId: 'configuration',
  createdAt: START,
  lastUsedAt: after(lastUsedAfter),
});

describe('computeSessionEnd', () => {
  it.each([
    [0, 60_000],
    [50_000, 110_000],
    [90_000, 150_000],
    [149_000, 150_000],
  ])('used last after %d ms, it ends after %d ms', (lastUsed, end) => {
    expect(computeSessionEnd(makeSession(lastUsed), LIFETIME)).toEqual(after(end));
  });
});

describe('authenticateSession', () => {
  const token = generateSessionToken(randomBytes);

  function authenticate(given: {
    readonly at: number;
    readonly token?: string;
    readonly user?: Partial<User>;
  }) {
    const user = makeUser('organization', { role: 'admin', ...given.user });
    const asked: Uint8Array[] = [];
    const store: Pick<Store, 'findSessionByDigest'> = {
      async findSessionByDigest(digest) {
        asked.push(digest);
        const isIt = Buffer.from(digest).equals(digestSessionToken(token));
        return isIt ? { session: makeSession(0), user } : undefined;
      },
    };
    const env = { store: store as Store, now: () => after(given.at), sessionLifetime: LIFETIME };
    return { asked, user, result: authenticateSession(env, given.token ?? token) };
  }

  it('knows whose it is until the moment it ends', async () => {
    const { result, user } = authenticate({ at: LIFETIME.idleMs - 1 });
    expect(await result).toMatchObject({
      user,
      session: { id: 'session' },
      principal: { userId: user.id, role: 'admin', operator: false, readOnly: false },
    });
  });

  it.each([
    ['idle', { at: LIFETIME.idleMs }],
    ['suspended', { at: 0, user: { status: 'suspended' } }],
    ['left', { at: 0, user: { status: 'left' } }],
    ['of nobody', { at: 0, token: generateSessionToken(randomBytes) }],
  ] as const)('refuses alike: %s', async (_name, given) => {
    const { result } = authenticate(given);
    await expect(result).rejects.toMatchObject({ name: 'DomainError', code: 'unauthenticated' });
  });

  it.each([
    '',
    'cgses_',
    token.slice(0, -1),
    `${token}x`,
    ` ${token}`,
    token.toUpperCase(),
    'cgpat_x',
  ])('asks the store for nothing that is no token: %j', async (given) => {
    const { result, asked } = authenticate({ at: 0, token: given });
    await expect(result).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(asked).toEqual([]);
  });

  it('makes tokens of 256 random bits', () => {
    const tokens = Array.from({ length: 100 }, () => generateSessionToken(randomBytes));
    expect(new Set(tokens).size).toBe(100);
    for (const made of tokens) expect(made).toMatch(/^cgses_[\w-]{43}$/);
  });
});
