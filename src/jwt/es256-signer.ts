/** Owns how our identity tokens are encoded and signed: ES256 (RFC 7518 §3.4) by `jose`. What they say is the domain's. */
import { exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import type { JWTPayload } from 'jose';

import type { IdTokenSigner, JsonWebKey } from '../domain/id-token.ts';

const ALGORITHM = 'ES256';

export function createEs256Signer(): IdTokenSigner {
  return {
    async generateKey() {
      const pair = await generateKeyPair(ALGORITHM, { extractable: true });
      const { kty, crv, x, y, d } = await exportJWK(pair.privateKey);
      if (!kty || !crv || !x || !y || !d)
        throw new Error('The generated key is no elliptic-curve key.');
      const publicKey: JsonWebKey = { kty, crv, x, y };
      return { publicKey, privateKey: { ...publicKey, d } };
    },
    async sign({ id, privateKey }, claims) {
      const key = await importJWK({ ...privateKey }, ALGORITHM);
      const payload: JWTPayload = claims;
      return new SignJWT(payload)
        .setProtectedHeader({ alg: ALGORITHM, kid: id, typ: 'JWT' })
        .sign(key);
    },
  };
}
