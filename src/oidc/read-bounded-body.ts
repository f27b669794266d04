/** Owns reading a response's body: at most so many bytes, before and after decompression, and then no further. */
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { GuardedFetchError } from './guarded-fetch-error.ts';

/**
 * The body, decompressed. Fails with `body_too_large` at the first chunk that passes the limit, and destroys the
 * connection rather than read what is left.
 *
 * @param limit in bytes. It holds for the bytes received too: deflate can spend any number of them on nothing.
 */
export async function readBoundedBody(response: IncomingMessage, limit: number): Promise<Buffer> {
  if (Number(response.headers['content-length'] ?? 0) > limit) throw createTooLarge(limit);
  const bounded = (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> =>
    boundBytes(source, limit);
  const chunks: Buffer[] = [];
  const collect = async (source: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of source) chunks.push(chunk);
  };
  const encoding = response.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (encoding === 'identity' || encoding === '') {
    await pipeline(response, bounded, collect);
  } else if (encoding === 'gzip' || encoding === 'x-gzip') {
    // We ask for identity; some servers compress regardless.
    await pipeline(response, bounded, createGunzip(), bounded, collect);
  } else {
    throw new GuardedFetchError(
      'encoding_refused',
      'The answer has a content encoding that was not asked for.',
    );
  }
  return Buffer.concat(chunks);
}

async function* boundBytes(source: AsyncIterable<Buffer>, limit: number): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > limit) throw createTooLarge(limit);
    yield chunk;
  }
}

const createTooLarge = (limit: number): GuardedFetchError =>
  new GuardedFetchError('body_too_large', `The answer is larger than ${limit} bytes.`);
