import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import {
  authenticateSession,
  computeSessionEnd,
  digestSessionToken,
  generateSessionToken,
} from '../../src/domain/session.ts';
import type { Session, SsoSession, StoredSession } from '../../src/domain/session.ts';
import type { User } from '../../src/domain/organization.ts';
import type { Store } from '../../src/domain/ports.ts';
import { makeUser } from '../store/store-fixtures.ts';

const START = new Date('2026-03-01T12:00:00Z');
const LIFETIME = { idleMs: 60_000, absoluteMs: 150_000 };

const after = (ms: number): Date => new Date(START.getTime() + ms);

const makeSession = (lastUsedAfter: number): SsoSession => ({
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
    readonly traded?: StoredSession['token'];
  }) {
    const user = makeUser('organization', { role: 'admin', ...given.user });
    const asked: string[] = [];
    const store: Pick<Store, 'findSessionByDigest'> = {
      async findSessionByDigest(digest) {
        asked.push(digest);
        const isIt = digest === digestSessionToken(token);
        if (!isIt) return undefined;
        const session = makeSession(0);
        if (!('traded' in given)) return { session, user };
        const { ssoConfigurationId: _, ...common } = session;
        const traded: Session = { ...common, tokenId: 'token' };
        return { session: traded, user, token: given.traded };
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

  it.each([
    ['an operator’s token may all', true, { readOnly: false }, { operator: true, readOnly: false }],
    ['a read-only token may read', true, { readOnly: true }, { operator: true, readOnly: true }],
    [
      'an admin’s token makes no operator',
      false,
      { readOnly: false },
      { operator: false, readOnly: false },
    ],
  ])('whose session was traded for %s', async (_name, operator, { readOnly }, may) => {
    const given = { at: 0, user: { operator }, traded: { readOnly, expiresAt: undefined } };
    expect((await authenticate(given).result).principal).toMatchObject(may);
  });

  it('trusts a session least whose token is not there', async () => {
    const { result } = authenticate({ at: 0, user: { operator: true }, traded: undefined });
    expect((await result).principal).toMatchObject({ operator: false, readOnly: true });
  });

  it('makes no operator of a person who signed in', async () => {
    const { result } = authenticate({ at: 0, user: { operator: true } });
    expect((await result).principal).toMatchObject({ operator: false, readOnly: false });
  });

  it('ends a session with its token', async () => {
    const traded = { readOnly: false, expiresAt: after(20_000) };
    expect((await authenticate({ at: 19_999, traded }).result).token).toEqual(traded);
    await expect(authenticate({ at: 20_000, traded }).result).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  });

  it('makes tokens of 256 random bits', () => {
    const tokens = Array.from({ length: 100 }, () => generateSessionToken(randomBytes));
    expect(new Set(tokens).size).toBe(100);
    for (const made of tokens) expect(made).toMatch(/^cgses_[\w-]{43}$/);
  });
});
