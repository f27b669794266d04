/** Owns secrets that are random, and the digests that they are stored and compared as. */
import { hash } from 'node:crypto';

import type { RandomBytes } from './ports.ts';

/** 256 random bits in base64url: characters that a parameter, a path, a header and a cookie may all have. */
export function generateSecret({ randomBytes }: { readonly randomBytes: RandomBytes }): string {
  return Buffer.from(randomBytes(32)).toString('base64url');
}

/** SHA-256, 32 bytes. For what is random: that needs no slow hash. */
export function digestSecret(secret: string): Uint8Array {
  return hash('sha256', secret, 'buffer');
}

/** No timing tells more than the digest itself, which is no secret. */
export function isSameDigest(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a).equals(b);
}
