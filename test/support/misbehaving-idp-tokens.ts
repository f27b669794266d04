/** Owns the keys and the ID tokens of the misbehaving identity provider: right ones, and wrong ones on demand. */
import { randomUUID } from 'node:crypto';
import { CompactSign, SignJWT, UnsecuredJWT, exportJWK, generateKeyPair } from 'jose';
import type { CryptoKey, JWK, JWTPayload } from 'jose';

export interface IdTokenDraft {
  readonly header: { alg: string; kid?: string; [name: string]: unknown };
  readonly claims: Record<string, unknown>;
}

/** By which key, and how, an ID token is signed. */
export type Signing =
  | 'by the published key'
  | 'by a stranger under the published kid'
  | 'by a stranger under an unknown kid'
  | 'altered after signing'
  | 'relabelled after signing'
  | 'unsigned'
  | 'unsigned, claiming the published alg'
  | 'HS256 with the client secret'
  | 'HS256 with the public key'
  | 'not a JWT'
  | 'not base64url'
  | 'as five parts';

export interface ProviderKey {
  readonly algorithm: string;
  readonly kid: string;
  readonly publicJwk: JWK;
  readonly privateKey: CryptoKey;
}

export async function generateProviderKey(
  algorithm: string,
  kid: string = randomUUID(),
): Promise<ProviderKey> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' };
  return { algorithm, kid, publicJwk, privateKey };
}

export async function signIdToken(
  draft: IdTokenDraft,
  signing: Signing,
  key: ProviderKey,
  clientSecret: string,
): Promise<string> {
  const { header, claims } = draft;
  switch (signing) {
    case 'by the published key':
      return sign(draft, key.privateKey);
    case 'by a stranger under the published kid':
      return sign(draft, (await generateProviderKey(key.algorithm)).privateKey);
    case 'by a stranger under an unknown kid': {
      const stranger = await generateProviderKey(key.algorithm);
      return sign({ header: { ...header, kid: stranger.kid }, claims }, stranger.privateKey);
    }
    case 'altered after signing': {
      const [head, , signature] = (await sign(draft, key.privateKey)).split('.');
      return `${head}.${encode({ ...claims, sub: 'mallory' })}.${signature}`;
    }
    case 'relabelled after signing': {
      const [, payload, signature] = (await sign(draft, key.privateKey)).split('.');
      return `${encode({ ...header, alg: 'PS512' })}.${payload}.${signature}`;
    }
    case 'unsigned':
      return new UnsecuredJWT(claims).encode();
    case 'unsigned, claiming the published alg':
      return `${encode(header)}.${encode(claims)}.`;
    case 'HS256 with the client secret':
      return sign({ header: { ...header, alg: 'HS256' }, claims }, Buffer.from(clientSecret));
    case 'HS256 with the public key': {
      const shared = Buffer.from(JSON.stringify(key.publicJwk));
      return sign({ header: { ...header, alg: 'HS256' }, claims }, shared);
    }
    case 'not a JWT':
      return 'token';
    case 'not base64url':
      return `${encode(header)}.${encode(claims)}.%%%`;
    case 'as five parts':
      return `${encode({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.a.b.c.d`;
  }
}

/** Signs any claims, also those that a careful library would refuse to sign. */
async function sign(draft: IdTokenDraft, key: CryptoKey | Uint8Array): Promise<string> {
  const { header, claims } = draft;
  if (header['crit'] !== undefined) {
    return new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader(header)
      .sign(key, { crit: { exp: false, 'urn:example:ext': true } });
  }
  return new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader(header).sign(key);
}

/** A userinfo response as a JWT (OpenID Connect Core §5.3.2). */
export async function signUserinfo(claims: JWTPayload, key: ProviderKey): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: key.algorithm, kid: key.kid })
    .sign(key.privateKey);
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
