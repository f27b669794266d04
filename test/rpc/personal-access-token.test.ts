// The life of personal access tokens, as callers see it.
import { durationFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createApi } from '../support/create-api.ts';
import type { Api } from '../support/create-api.ts';
import { openBackstage } from '../support/open-backstage.ts';
import type { Backstage } from '../support/open-backstage.ts';
import { readRefusal } from '../support/read-refusal.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

let claimgate: StartedClaimgate;
let backstage: Backstage;
let operator: Api;

beforeAll(async () => {
  claimgate = await startClaimgate();
  backstage = await openBackstage(claimgate);
  operator = createApi(claimgate.url, `Bearer ${claimgate.token}`);
});

afterAll(async () => {
  await backstage.close();
  await claimgate.stop();
});

async function addMember() {
  return backstage.addPerson(await backstage.addOrganization());
}

/** The newest token of the user. */
async function readNewest(userId: string) {
  const { personalAccessTokens } = await operator.users.listPersonalAccessTokens({
    filter: { userIds: [userId] },
  });
  return personalAccessTokens.at(-1);
}

describe('a lifetime', () => {
  const lifetimes = [
    { validFor: undefined, days: 30 },
    { validFor: 0, days: 30 },
    { validFor: DAY_MS, days: 1 },
    { validFor: 90 * DAY_MS, days: 90 },
  ];
  test.each(lifetimes)('of $validFor ms asked for is $days days', async ({ validFor, days }) => {
    const { user } = await addMember();
    await operator.users.createPersonalAccessToken({
      userId: user.id,
      ...(validFor !== undefined && { validFor: durationFromMs(validFor) }),
    });
    const token = await readNewest(user.id);
    if (token?.createdAt === undefined || token.expiresAt === undefined)
      throw new Error('no times');
    expect(timestampMs(token.expiresAt) - timestampMs(token.createdAt)).toBe(days * DAY_MS);
  });

  test.each([-1, 90 * DAY_MS + 1])('of %i ms is refused', async (validFor) => {
    const { user } = await addMember();
    const request = { userId: user.id, validFor: durationFromMs(validFor) };
    expect(await readRefusal(operator.users.createPersonalAccessToken(request))).toMatchObject({
      code: 'invalid_argument',
      fields: ['valid_for'],
    });
  });
});

test('a token works at once, is told once, and is shown without its value', async () => {
  const { user } = await addMember();
  const description = 'for the build';
  const { token } = await operator.users.createPersonalAccessToken({
    userId: user.id,
    description,
  });
  const { users } = createApi(claimgate.url, `Bearer ${token}`);
  expect((await users.getAuthenticatedUser({})).user?.id).toBe(user.id);
  const { user: self } = await operator.users.getAuthenticatedUser({});
  const pat = await readNewest(user.id);
  expect(pat).toMatchObject({
    userId: user.id,
    description,
    readOnly: false,
    creator: { id: self?.id },
  });
  expect(
    JSON.stringify(pat, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
  ).not.toContain(token);
});

test('a description may have 256 characters', async () => {
  const { user } = await addMember();
  const create = (length: number) =>
    readRefusal(
      operator.users.createPersonalAccessToken({
        userId: user.id,
        description: 'd'.repeat(length),
      }),
    );
  expect(await create(256)).toMatchObject({ code: 'ok' });
  expect(await create(257)).toMatchObject({ code: 'invalid_argument', fields: ['description'] });
});

test('revoking ends a token at once, and only that one', async () => {
  const { user, token } = await addMember();
  const { token: other } = await operator.users.createPersonalAccessToken({ userId: user.id });
  const { users } = createApi(claimgate.url, `Bearer ${token}`);
  const personalAccessTokenId = (await readNewest(user.id))?.id ?? '';
  await users.deletePersonalAccessToken({ personalAccessTokenId });
  const revoked = createApi(claimgate.url, `Bearer ${other}`).users.getAuthenticatedUser({});
  expect(await readRefusal(revoked)).toMatchObject({ code: 'unauthenticated' });
  expect((await users.getAuthenticatedUser({})).user?.id).toBe(user.id);
  expect(
    await readRefusal(users.deletePersonalAccessToken({ personalAccessTokenId })),
  ).toMatchObject({
    code: 'not_found',
  });
});

test('the token of the first start does not expire', async () => {
  const { personalAccessTokens } = await operator.users.listPersonalAccessTokens({});
  expect(personalAccessTokens).toHaveLength(1);
  expect(personalAccessTokens[0]?.expiresAt).toBeUndefined();
});

test('a list may name several users at once, each of them once', async () => {
  const [one, two] = [await addMember(), await addMember()];
  const { personalAccessTokens } = await operator.users.listPersonalAccessTokens({
    filter: { userIds: [one.user.id, two.user.id, one.user.id] },
  });
  expect(personalAccessTokens.map(({ userId }) => userId)).toEqual([one.user.id, two.user.id]);
});
