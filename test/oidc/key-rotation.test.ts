import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { IdentityProvider } from '../../src/domain/identity-provider.ts';
import { createGuardedFetch } from '../../src/oidc/guarded-fetch.ts';
import { createIssuerDirectory } from '../../src/oidc/issuer-directory.ts';
import { startMisbehavingIdp } from '../support/start-misbehaving-idp.ts';
import type { MisbehavingIdp } from '../support/start-misbehaving-idp.ts';
import { RELAXED, catchFailure, createClient, signIn } from './login-flow.ts';

/** A clock that stands until it is set forward; the identity provider has the same. */
let elapsed: number;
const start = Date.now();
const now = (): Date => new Date(start + elapsed);
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

let idp: MisbehavingIdp;
let client: IdentityProvider;
beforeEach(async () => {
  elapsed = 0;
  idp = await startMisbehavingIdp({ now: () => now().getTime() });
  client = createClient({ now });
});
afterEach(() => idp.stop());

describe('keys', () => {
  test('that were rotated just before signing are accepted, with one more request', async () => {
    await signIn(client, idp);
    idp.behave({ rotatesKeysBeforeSigning: true });
    expect(await signIn(client, idp)).toMatchObject({ subject: 'alice' });
    expect(idp.requests.jwks).toBe(2);
  });

  test('that were rotated at the very first login are accepted', async () => {
    idp.behave({ rotatesKeysBeforeSigning: true });
    expect(await signIn(client, idp)).toMatchObject({ subject: 'alice' });
    expect(idp.requests.jwks).toBe(2);
  });

  test('that keep being unknown are asked for once in 30 seconds', async () => {
    await signIn(client, idp);
    idp.behave({ signing: 'by a stranger under an unknown kid' });
    for (let login = 0; login < 5; login += 1) {
      expect(await catchFailure(signIn(client, idp))).toMatchObject({ reason: 'unknown_key' });
    }
    expect(idp.requests.jwks).toBe(2);
    elapsed += 30 * SECOND;
    expect(await catchFailure(signIn(client, idp))).toMatchObject({ reason: 'unknown_key' });
    expect(idp.requests.jwks).toBe(3);
  });

  test('rotated twice within the cooldown are refused until it is over', async () => {
    await signIn(client, idp);
    idp.behave({ rotatesKeysBeforeSigning: true });
    await signIn(client, idp);
    expect(await catchFailure(signIn(client, idp))).toMatchObject({ reason: 'unknown_key' });
    elapsed += 30 * SECOND;
    expect(await signIn(client, idp)).toMatchObject({ subject: 'alice' });
  });

  test('exchanged under the same kid are fetched for the login after the one that failed', async () => {
    await signIn(client, idp);
    const [kid] = idp.keyIds();
    await idp.rotateKeys(kid);
    expect(await catchFailure(signIn(client, idp))).toMatchObject({ reason: 'signature_invalid' });
    expect(await signIn(client, idp)).toMatchObject({ subject: 'alice' });
    expect(idp.requests.jwks).toBe(2);
  });

  test('that the identity provider withdraws are believed for 10 minutes and no longer', async () => {
    await signIn(client, idp);
    idp.behave({ jwks: () => ({ keys: [] }) });
    elapsed += 10 * MINUTE - 1;
    expect(await signIn(client, idp)).toMatchObject({ subject: 'alice' });
    elapsed += 1;
    expect(await catchFailure(signIn(client, idp))).toMatchObject({
      stage: 'id_token',
      reason: 'keys_invalid',
    });
  });

  test('that cannot be had cost no code', async () => {
    idp.behave({ faults: { jwks: 'status 500' } });
    await catchFailure(signIn(client, idp));
    expect(idp.requests.token).toBe(0);
  });
});

describe('a key set', () => {
  test.for([
    { name: 'without keys', change: () => ({ keys: [] }) },
    { name: 'without a list', change: () => ({ keys: {} }) },
    { name: 'of symmetric keys', change: () => ({ keys: [{ kty: 'oct', k: 'AAAA' }] }) },
    {
      name: 'of keys for encryption',
      change: ({ keys }: Record<string, unknown>) => ({
        keys: (keys as object[]).map((key) => Object.assign({}, key, { use: 'enc' })),
      }),
    },
    {
      name: 'of 65 keys',
      change: ({ keys }: Record<string, unknown>) => ({
        keys: Array.from({ length: 65 }, () => (keys as object[])[0]),
      }),
    },
    {
      name: 'of keys whose parameters are no text',
      change: () => ({ keys: [{ kty: 'EC', crv: 'P-256', x: 1, y: 2 }] }),
    },
    { name: 'of things', change: () => ({ keys: [null, 5, 'key', []] }) },
  ])('$name is refused', async ({ change }) => {
    idp.behave({ jwks: change });
    expect(await catchFailure(signIn(client, idp))).toMatchObject({
      stage: 'id_token',
      reason: 'keys_invalid',
    });
  });

  test('whose key is not one is refused', async () => {
    idp.behave({
      jwks: ({ keys }) => ({
        keys: (keys as object[]).map((key) => Object.assign({}, key, { x: 'AAAA', y: 'AAAA' })),
      }),
    });
    expect(await catchFailure(signIn(client, idp))).toMatchObject({
      stage: 'id_token',
      reason: 'id_token_invalid',
    });
  });

  test('may hold keys that we do not know beside the one that we do', async () => {
    idp.behave({
      jwks: ({ keys }) => ({
        keys: [{ kty: 'oct', k: 'AAAA' }, { kty: 'AKP', alg: 'ML-DSA-44' }, ...(keys as object[])],
      }),
    });
    expect(await signIn(client, idp)).toMatchObject({ subject: 'alice' });
  });
});

describe('what is remembered', () => {
  test('of discovery is asked for again after 10 minutes', async () => {
    await signIn(client, idp);
    await signIn(client, idp);
    expect(idp.requests.discovery).toBe(1);
    elapsed += 10 * MINUTE;
    await signIn(client, idp);
    expect(idp.requests).toMatchObject({ discovery: 2, jwks: 2 });
  });

  test('of a failed discovery is its failure, for 30 seconds', async () => {
    idp.behave({ faults: { discovery: 'status 500' } });
    await catchFailure(signIn(client, idp));
    idp.behave({});
    expect(await catchFailure(signIn(client, idp))).toMatchObject({ stage: 'discovery' });
    expect(idp.requests.discovery).toBe(1);
    elapsed += 30 * SECOND;
    expect(await signIn(client, idp)).toMatchObject({ subject: 'alice' });
  });

  test('is asked for once by many logins at the same time', async () => {
    const logins = Array.from({ length: 20 }, () => signIn(client, idp));
    expect(await Promise.all(logins)).toHaveLength(20);
    expect(idp.requests).toMatchObject({ discovery: 1, jwks: 1, token: 20 });
  });

  test('is bounded: the issuer least recently used goes first', async () => {
    const guarded = createGuardedFetch(RELAXED);
    const directory = createIssuerDirectory({ guarded, now, maxIssuers: 2 });
    const [first, second] = [
      directory.find('https://a.example'),
      directory.find('https://b.example'),
    ];
    expect(directory.find('https://a.example')).toBe(first);
    directory.find('https://c.example');
    expect(directory.find('https://a.example')).toBe(first);
    expect(directory.find('https://b.example')).not.toBe(second);
  });
});
