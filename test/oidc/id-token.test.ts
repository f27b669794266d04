import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LoginFailureReason } from '../../src/domain/login-failure.ts';
import { startMisbehavingIdp } from '../support/start-misbehaving-idp.ts';
import type { Misbehaviour, MisbehavingIdp } from '../support/start-misbehaving-idp.ts';
import { catchFailure, createClient, signIn } from './login-flow.ts';

const now = (): number => Math.floor(Date.now() / 1000);
const without =
  (name: string): Misbehaviour['idToken'] =>
  ({ claims }) =>
    delete claims[name];
const withClaims =
  (changes: Record<string, unknown>): Misbehaviour['idToken'] =>
  ({ claims }) =>
    Object.assign(claims, changes);
const withHeader =
  (changes: Record<string, unknown>): Misbehaviour['idToken'] =>
  ({ header }) =>
    Object.assign(header, changes);

interface Refusal {
  readonly name: string;
  readonly misbehaviour: Misbehaviour;
  readonly reason: LoginFailureReason;
}

const idToken = (
  name: string,
  change: Misbehaviour['idToken'],
  reason: LoginFailureReason,
): Refusal => ({
  name,
  misbehaviour: { ...(change !== undefined && { idToken: change }) },
  reason,
});

const signed = (signing: Misbehaviour['signing'], reason: LoginFailureReason): Refusal => ({
  name: `signed: ${signing}`,
  misbehaviour: { ...(signing !== undefined && { signing }) },
  reason,
});

const REFUSALS: readonly Refusal[] = [
  signed('by a stranger under the published kid', 'signature_invalid'),
  signed('by a stranger under an unknown kid', 'unknown_key'),
  signed('altered after signing', 'signature_invalid'),
  signed('relabelled after signing', 'alg_not_allowed'),
  signed('unsigned', 'alg_not_allowed'),
  signed('unsigned, claiming the published alg', 'signature_invalid'),
  signed('HS256 with the client secret', 'alg_not_allowed'),
  signed('HS256 with the public key', 'alg_not_allowed'),
  signed('not a JWT', 'id_token_invalid'),
  signed('not base64url', 'id_token_invalid'),
  signed('as five parts', 'id_token_invalid'),
  idToken(
    'iss of another issuer',
    withClaims({ iss: 'https://other.example' }),
    'issuer_claim_mismatch',
  ),
  idToken(
    'iss with a slash more',
    ({ claims }) => (claims['iss'] = `${String(claims['iss'])}/`),
    'issuer_claim_mismatch',
  ),
  idToken('iss that is no text', withClaims({ iss: 5 }), 'claim_invalid'),
  idToken('aud of another client', withClaims({ aud: 'other' }), 'audience_mismatch'),
  idToken('aud list without us', withClaims({ aud: ['other', 'another'] }), 'audience_mismatch'),
  idToken('aud empty', withClaims({ aud: [] }), 'audience_mismatch'),
  idToken(
    'several audiences and no azp',
    withClaims({ aud: ['claimgate', 'other'] }),
    'azp_mismatch',
  ),
  idToken(
    'several audiences and the azp of another',
    withClaims({ aud: ['claimgate', 'other'], azp: 'other' }),
    'azp_mismatch',
  ),
  idToken('one audience and the azp of another', withClaims({ azp: 'other' }), 'azp_mismatch'),
  idToken('nonce of another login', withClaims({ nonce: 'other' }), 'nonce_mismatch'),
  idToken('no nonce', without('nonce'), 'claim_missing'),
  idToken('no iat', without('iat'), 'claim_missing'),
  idToken('no sub', without('sub'), 'claim_missing'),
  idToken('no exp', without('exp'), 'claim_missing'),
  idToken('no iss', without('iss'), 'claim_missing'),
  idToken('no aud', without('aud'), 'claim_missing'),
  idToken('sub that is no text', withClaims({ sub: 1 }), 'claim_invalid'),
  idToken('sub empty', withClaims({ sub: '' }), 'claim_invalid'),
  idToken('sub of blanks', withClaims({ sub: '  ' }), 'claim_invalid'),
  idToken('sub with U+0000', withClaims({ sub: 'a\0b' }), 'claim_invalid'),
  idToken('sub of 256 characters', withClaims({ sub: 's'.repeat(256) }), 'claim_invalid'),
  idToken('iat that is no number', withClaims({ iat: 'now' }), 'claim_invalid'),
  idToken('iat in the future', withClaims({ iat: now() + 3600 }), 'not_yet_valid'),
  idToken('expired', withClaims({ exp: now() - 60 }), 'expired'),
  idToken('exp that is no number', withClaims({ exp: '2099' }), 'claim_invalid'),
  idToken('nbf in the future', withClaims({ nbf: now() + 600 }), 'not_yet_valid'),
  idToken(
    'a critical header',
    withHeader({ crit: ['urn:example:ext'], 'urn:example:ext': 1 }),
    'id_token_invalid',
  ),
  {
    name: 'no ID token at all',
    misbehaviour: { tokens: (tokens) => ({ ...tokens, id_token: undefined }) },
    reason: 'id_token_missing',
  },
];

describe('an ID token', () => {
  let idp: MisbehavingIdp;
  beforeAll(async () => {
    idp = await startMisbehavingIdp();
  });
  afterAll(() => idp.stop());

  test.for(REFUSALS)('is refused: $name', async ({ misbehaviour, reason }) => {
    idp.behave(misbehaviour);
    const failure = await catchFailure(signIn(createClient(), idp));
    expect(failure).toMatchObject({ stage: 'id_token', reason });
    expect(failure.detail).not.toBe('');
    // Nothing that was sent or received hangs on the error.
    const everything = inspect(failure, { depth: Infinity, showHidden: true });
    expect(everything).not.toContain(idp.clientSecret);
    expect(everything).not.toContain(idp.received.tokenBody?.get('code'));
    expect(everything).not.toContain(idp.received.tokenBody?.get('code_verifier'));
    expect(everything).not.toMatch(/eyJ[\w-]{5}/);
  });

  const ACCEPTED: readonly { name: string; change: Misbehaviour['idToken'] }[] = [
    { name: 'as it should be', change: () => undefined },
    { name: 'with a list of one audience', change: withClaims({ aud: ['claimgate'] }) },
    {
      name: 'with several audiences and our azp',
      change: withClaims({ aud: ['claimgate', 'other'], azp: 'claimgate' }),
    },
    { name: 'with our azp', change: withClaims({ azp: 'claimgate' }) },
    { name: 'expired within the tolerance', change: withClaims({ exp: now() - 5 }) },
    { name: 'valid from within the tolerance', change: withClaims({ nbf: now() + 20 }) },
    { name: 'without a kid, the key set holding one key', change: withHeader({ kid: undefined }) },
    { name: 'of a subject of 255 characters', change: undefined },
  ];
  test.for(ACCEPTED)('is accepted: $name', async ({ change }) => {
    const sub = change === undefined ? 's'.repeat(255) : 'alice';
    idp.signInAs({ sub });
    idp.behave({ ...(change !== undefined && { idToken: change }) });
    const verified = await signIn(createClient(), idp);
    expect(verified).toMatchObject({ issuer: idp.issuer, subject: sub });
    expect(verified.claims['sub']).toBe(sub);
  });

  test('is judged by the clock that was given, not by the machine’s', async () => {
    idp.behave({});
    const later = createClient({ now: () => new Date(Date.now() + 3_600_000) });
    expect(await catchFailure(signIn(later, idp))).toMatchObject({ reason: 'expired' });
    const earlier = createClient({ now: () => new Date(Date.now() - 3_600_000) });
    expect(await catchFailure(signIn(earlier, idp))).toMatchObject({ reason: 'not_yet_valid' });
  });
});

describe('signing algorithms', () => {
  test.for([
    'RS256',
    'RS384',
    'RS512',
    'PS256',
    'PS384',
    'PS512',
    'ES256',
    'ES384',
    'ES512',
    'EdDSA',
    'Ed25519',
  ])('%s is accepted', async (algorithm) => {
    const idp = await startMisbehavingIdp({ algorithm });
    try {
      expect(await signIn(createClient(), idp)).toMatchObject({ subject: 'alice' });
    } finally {
      await idp.stop();
    }
  });

  test.for([
    { announced: ['none'] },
    { announced: ['HS256', 'HS512'] },
    { announced: ['none', 'HS256', 'RS1'] },
    { announced: [] },
  ])('an identity provider that announces only $announced is refused', async ({ announced }) => {
    const idp = await startMisbehavingIdp();
    try {
      idp.behave({
        discovery: (metadata) => ({
          ...metadata,
          id_token_signing_alg_values_supported: announced,
        }),
      });
      const failure = await catchFailure(signIn(createClient(), idp));
      expect(failure).toMatchObject({ stage: 'discovery', reason: 'alg_not_allowed' });
    } finally {
      await idp.stop();
    }
  });

  test.for(['unsigned', 'HS256 with the client secret', 'HS256 with the public key'] as const)(
    'an identity provider that announces everything still cannot send a token %s',
    async (signing) => {
      const idp = await startMisbehavingIdp();
      try {
        idp.behave({
          signing,
          discovery: (metadata) => ({
            ...metadata,
            id_token_signing_alg_values_supported: ['none', 'HS256', 'ES256'],
          }),
        });
        const failure = await catchFailure(signIn(createClient(), idp));
        expect(failure).toMatchObject({ stage: 'id_token', reason: 'alg_not_allowed' });
      } finally {
        await idp.stop();
      }
    },
  );
});
