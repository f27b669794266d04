// The ID tokens that we issue, as who verifies them sees them, and the rotation of the keys that sign them.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import type { JSONWebKeySet } from 'jose';
import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createPrincipal } from '../../src/domain/access.ts';
import {
  ID_TOKEN_LIFETIME,
  issueIdToken,
  publishKeySet,
  describeKeys,
  forgetSpentKeys,
  rotateSigningKey,
  selectForgettable,
  selectSigning,
} from '../../src/domain/id-token.ts';
import type { SigningKey } from '../../src/domain/id-token.ts';
import type { Environment, Store } from '../../src/domain/ports.ts';
import { createEs256Signer } from '../../src/jwt/es256-signer.ts';
import { loadOrCreateKeyFile } from '../../src/store/key-file.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { IDTokenVersion } from '../../gen/gitpod/v1/identity_pb.ts';
import { createApi } from '../support/create-api.ts';
import type { Api } from '../support/create-api.ts';
import { describeOrganization, describeUser, openBackstage } from '../support/open-backstage.ts';
import { readRefusal } from '../support/read-refusal.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';

const MINUTE_MS = 60 * 1000;
const DAY_MS = 24 * 60 * MINUTE_MS;

describe('a relying party', () => {
  let claimgate: StartedClaimgate;
  let api: Api;

  beforeAll(async () => {
    claimgate = await startClaimgate();
    api = createApi(claimgate.url, `Bearer ${claimgate.token}`);
  });

  afterAll(() => claimgate.stop());

  /** As a library of OpenID Connect would: all it knows is where the issuer is. */
  async function verify(token: string, audience: string) {
    const response = await fetch(`${claimgate.url}/.well-known/openid-configuration`);
    const metadata = (await response.json()) as { issuer: string; jwks_uri: string };
    const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));
    const { issuer } = metadata;
    return jwtVerify(token, keys, { issuer, audience, algorithms: ['ES256'] });
  }

  test('verifies a token with what the issuer publishes, and learns who it is', async () => {
    const { user } = await api.users.getAuthenticatedUser({});
    const { token } = await api.identity.getIDToken({ audience: ['https://api.example'] });
    const { payload, protectedHeader } = await verify(token, 'https://api.example');
    expect(protectedHeader).toMatchObject({ alg: 'ES256', kid: expect.any(String) });
    expect(payload).toEqual({
      iss: claimgate.url,
      sub: user?.id,
      aud: 'https://api.example',
      organization_id: claimgate.organizationId,
      iat: expect.any(Number),
      exp: Number(payload.iat) + 15 * 60,
      jti: expect.any(String),
    });
    await expect(verify(token, 'https://another.example')).rejects.toThrow('aud');
  });

  test('learns more in version 2, and each token is another', async () => {
    const request = { audience: ['a', 'b'], version: IDTokenVersion.ID_TOKEN_VERSION_V2 };
    const [one, two] = await Promise.all([
      api.identity.getIDToken(request),
      api.identity.getIDToken(request),
    ]);
    const { payload } = await verify(one.token, 'b');
    expect(payload).toMatchObject({ aud: ['a', 'b'], name: 'Operator', email: '', role: 'admin' });
    expect(payload.jti).not.toBe((await verify(two.token, 'a')).payload.jti);
    expect(decodeProtectedHeader(one.token).kid).toBe(decodeProtectedHeader(two.token).kid);
  });

  test('gets public halves of keys alone, cacheable for five minutes', async () => {
    await api.identity.getIDToken({ audience: ['a'] });
    const response = await fetch(`${claimgate.url}/.well-known/jwks.json`);
    expect(response.headers.get('cache-control')).toBe('public, max-age=300');
    const { keys } = (await response.json()) as JSONWebKeySet;
    expect(keys.map((key) => Object.keys(key).toSorted())).toEqual(
      keys.map(() => ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']),
    );
    expect(keys).not.toHaveLength(0);
  });

  const refused = [
    [],
    [''],
    ['x'.repeat(513)],
    Array.from({ length: 17 }, (_, index) => `a${index}`),
  ];
  test.each(refused)('cannot be named as %j', async (...audience) => {
    expect(await readRefusal(api.identity.getIDToken({ audience }))).toMatchObject({
      code: 'invalid_argument',
      fields: ['audience'],
    });
  });

  test('is told the configured URL, whatever the caller’s Host says', async () => {
    const proxied = await startClaimgate({ CLAIMGATE_PUBLIC_URL: 'https://sso.example.com/base/' });
    try {
      const response = await fetch(`${proxied.url}/.well-known/openid-configuration`, {
        headers: { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http' },
      });
      expect(await response.json()).toMatchObject({
        issuer: 'https://sso.example.com/base',
        jwks_uri: 'https://sso.example.com/base/.well-known/jwks.json',
        id_token_signing_alg_values_supported: ['ES256'],
      });
    } finally {
      await proxied.stop();
    }
  });
});

describe('which key signs, and which is forgotten', () => {
  const now = new Date(1_800_000_000_000);
  /** Keys by their age in minutes, newest first. */
  const table: { ages: number[]; signs: number | undefined; forgets: number[] }[] = [
    { ages: [], signs: undefined, forgets: [] },
    { ages: [0], signs: 0, forgets: [] },
    { ages: [9], signs: 9, forgets: [] },
    { ages: [1000], signs: 1000, forgets: [] },
    { ages: [0, 1000], signs: 1000, forgets: [] },
    { ages: [9.99, 1000], signs: 1000, forgets: [] },
    { ages: [10, 1000], signs: 10, forgets: [] },
    { ages: [35, 1000], signs: 35, forgets: [] },
    { ages: [35.01, 1000], signs: 35.01, forgets: [1000] },
    { ages: [0, 5, 8], signs: 8, forgets: [] },
    { ages: [0, 12, 40, 1000], signs: 12, forgets: [1000] },
    { ages: [40, 41, 42, 1000], signs: 40, forgets: [41, 42, 1000] },
  ];
  const createKey = (age: number) =>
    ({ id: String(age), createdAt: new Date(now.getTime() - age * MINUTE_MS) }) as SigningKey;

  test.each(table)('of ages $ages: $signs signs, $forgets go', ({ ages, signs, forgets }) => {
    const keys = ages.map(createKey);
    const forgotten = selectForgettable(keys, now);
    expect(selectSigning(keys, now)?.id).toBe(signs?.toString());
    expect(forgotten.map(({ id }) => id)).toEqual(forgets.map(String));
  });
});

describe('the rotation of keys, as time passes', () => {
  let folder: string;
  let store: Store;
  let time = Date.UTC(2030, 0, 1);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'claimgate-keys-'));
    const keyring = await loadOrCreateKeyFile(join(folder, 'claimgate.key'));
    store = await openSqliteStore({ file: join(folder, 'claimgate.db'), keyring });
  });

  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });

  test('no verifier with a copy of the key set that is five minutes old ever refuses a token', async () => {
    const now = () => new Date(time);
    const env = {
      store,
      signer: createEs256Signer(),
      now,
      newId,
      randomBytes,
      publicUrl: 'https://sso.example.com',
    } as unknown as Environment;
    const organization = describeOrganization();
    const user = describeUser(organization.id);
    await store.transaction(async (tx) => {
      await tx.insertOrganization(organization);
      await tx.insertUser(user);
    });
    const credential = { kind: 'token', id: newId() } as const;
    const caller = createPrincipal(user, { readOnly: false, mayOperate: true, credential });

    let copy = { at: -Infinity, keys: createLocalJWKSet({ keys: [] }) };
    const issued: { token: string; at: number }[] = [];
    const kids = new Set<string | undefined>();
    const step = async (minutes: number) => {
      time += minutes * MINUTE_MS;
      const token = await issueIdToken(env, caller, ['a'], 'v1');
      // The first copy is taken once there is something to copy.
      if (time - copy.at >= 5 * MINUTE_MS) copy = { at: time, keys: await copyKeys(env) };
      issued.push({ token, at: time });
      kids.add(decodeProtectedHeader(token).kid);
      const alive = issued.filter(({ at }) => time - at < ID_TOKEN_LIFETIME);
      for (const { token } of alive) {
        await jwtVerify(token, copy.keys, { currentDate: now(), audience: 'a' });
      }
    };

    for (let index = 0; index < 5; index++) await step(1);
    expect(kids.size).toBe(1);
    // By age: the successor is made, is published, and only then signs.
    await step((90 * DAY_MS) / MINUTE_MS);
    for (let index = 0; index < 9; index++) await step(1);
    expect(kids.size).toBe(1);
    for (let index = 0; index < 3; index++) await step(1);
    expect(kids.size).toBe(2);
    // By hand, twice within a minute.
    const rotate = async () => rotateSigningKey(env, (await store.listPublicKeys())[0]);
    await rotate();
    await step(1);
    await rotate();
    for (let index = 0; index < 40; index++) await step(1);
    expect(kids.size).toBe(4);
    // The old ones are forgotten at the next rotation, except for the last one that signed.
    await rotate();
    expect(await store.listSigningKeys()).toHaveLength(2);
    for (let index = 0; index < 20; index++) await step(1);
    expect(kids.size).toBe(5);
  });

  test('a key whose last token has expired is forgotten without a rotation, and told as what it is before', async () => {
    const env = { store, signer: createEs256Signer(), now: () => new Date(time), newId };
    await rotateSigningKey(env, (await store.listPublicKeys())[0]);
    const readStates = async () =>
      describeKeys(await store.listPublicKeys(), env.now()).map(({ state }) => state);
    expect((await readStates()).slice(0, 2)).toEqual(['published', 'signing']);
    time += 10 * MINUTE_MS;
    expect((await readStates()).slice(0, 2)).toEqual(['signing', 'retired']);
    const [, retired] = describeKeys(await store.listPublicKeys(), env.now());
    time = (retired?.until?.getTime() ?? 0) + 1;
    expect(await forgetSpentKeys(env)).toBeGreaterThan(0);
    expect(await readStates()).toEqual(['signing']);
    expect(await forgetSpentKeys(env)).toBe(0);
  });

  test('two processes that find the same old key make one successor', async () => {
    const env = { store, signer: createEs256Signer(), now: () => new Date(time), newId };
    const before = await store.listSigningKeys();
    const [newest] = before;
    const made = await Promise.all([rotateSigningKey(env, newest), rotateSigningKey(env, newest)]);
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    const added = (await store.listSigningKeys()).filter(
      ({ id }) => !before.some((key) => key.id === id),
    );
    expect(added).toHaveLength(1);
  });
});

async function copyKeys(env: Environment) {
  return createLocalJWKSet((await publishKeySet(env)) as JSONWebKeySet);
}

test('tokens that several processes sign at the first start are all verifiable', async () => {
  const claimgate = await startClaimgate();
  const backstage = await openBackstage(claimgate);
  try {
    const { identity } = createApi(claimgate.url, `Bearer ${claimgate.token}`);
    const tokens = await Promise.all(
      Array.from({ length: 8 }, () => identity.getIDToken({ audience: ['a'] })),
    );
    expect(new Set(tokens.map(({ token }) => decodeProtectedHeader(token).kid)).size).toBe(1);
    expect(await backstage.store.listSigningKeys()).toHaveLength(1);
  } finally {
    await backstage.close();
    await claimgate.stop();
  }
});
