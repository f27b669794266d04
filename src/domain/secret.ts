/** Owns secrets that are random, and the digests that they are stored and compared as. */
import { hash } from 'node:crypto';

import type { RandomBytes } from './ports.ts';

/** 256 random bits in base64url: characters that a parameter, a path, a header and a cookie may all have. */
export function generateSecret({ randomBytes }: { readonly randomBytes: RandomBytes }): string {
  return Buffer.from(randomBytes(32)).toString('base64url');
}

/**
 * SHA-256, in base64url, as it is stored: 43 characters. For what is random: that needs no slow hash. Comparing two tells
 * no more, by its timing, than the digest itself, which is no secret. As bytes, making one took three times as long.
 */
export function digestSecret(secret: string): string {
  return hash('sha256', secret, 'base64url');
}
