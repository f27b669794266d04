/** Owns digests in a column: as base64url text. */

export function writeDigest(digest: Uint8Array): string {
  return Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).toString('base64url');
}

export function readDigest(text: string): Uint8Array {
  return Buffer.from(text, 'base64url');
}
