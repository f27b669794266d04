/** Owns which signatures we accept (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2): those of a private key. */

/** Never `none`, and never an HMAC, whose key would be the client secret or, worse, a public key. */
const ALLOWED: readonly string[] = [
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
];

/** The announced algorithms that we accept. */
export function selectSigningAlgorithms(announced: readonly string[]): readonly string[] {
  return ALLOWED.filter((algorithm) => announced.includes(algorithm));
}
