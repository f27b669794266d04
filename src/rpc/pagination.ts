/**
 * Owns how pages travel: their size, and cursors as opaque page tokens. A token carries a digest over its cursor and
 * the list that it was made for, so that one that was made up, or for another list, is told from a good one. It is no
 * secret and grants nothing: what a page may hold is checked anew for each.
 */
import { createHash } from 'node:crypto';

import { createViolationError } from '../domain/errors.ts';
import type { Cursor, PageRequest } from '../domain/page.ts';

const DEFAULT_SIZE = 25;
const MAX_SIZE = 100;
const DIGEST_BYTES = 9;

/** @param list names the list with all that shapes it: method, owner, filter, order. */
export function readPageRequest(
  pagination: { readonly pageSize: number; readonly token: string } | undefined,
  list: readonly unknown[],
): PageRequest {
  const size = Math.min(pagination?.pageSize || DEFAULT_SIZE, MAX_SIZE);
  if (pagination === undefined || pagination.token === '') return { size };
  return { size, after: readCursor(pagination.token, list) };
}

export function writePageToken(
  next: Cursor | undefined,
  list: readonly unknown[],
): { nextToken: string } {
  if (next === undefined) return { nextToken: '' };
  const payload = Buffer.from(JSON.stringify(next));
  return { nextToken: Buffer.concat([digestCursor(payload, list), payload]).toString('base64url') };
}

function readCursor(token: string, list: readonly unknown[]): Cursor {
  const bytes = Buffer.from(token, 'base64url');
  const digest = bytes.subarray(0, DIGEST_BYTES);
  const payload = bytes.subarray(DIGEST_BYTES);
  // A canonical spelling only, and checked before parsing: what passes is what we wrote.
  if (bytes.toString('base64url') === token && digest.equals(digestCursor(payload, list))) {
    const cursor: unknown = JSON.parse(payload.toString());
    if (isCursor(cursor)) return cursor;
  }
  const message =
    'is not a token of this list; take next_token of the page before, with the same filter and sort';
  throw createViolationError([{ field: 'pagination.token', rule: 'page_token', message }]);
}

function isCursor(value: unknown): value is Cursor {
  return Array.isArray(value) && typeof value.at(-1) === 'string';
}

function digestCursor(payload: Uint8Array, list: readonly unknown[]): Buffer {
  const hash = createHash('sha256').update(JSON.stringify(list)).update('\0').update(payload);
  return hash.digest().subarray(0, DIGEST_BYTES);
}
