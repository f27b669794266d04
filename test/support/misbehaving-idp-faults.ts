/** Owns the ways in which an identity provider's server can be bad at HTTP. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';

export type Fault =
  | 'huge'
  | 'huge, as announced'
  | 'compressed bomb'
  | 'empty compressed blocks'
  | 'unknown encoding'
  | 'dripping'
  | 'silent'
  | 'hanging up'
  | 'status 500'
  | 'redirect'
  | 'huge headers'
  | 'not JSON'
  | 'JSON list'
  | 'nested 500,000 deep';

const MEBIBYTE = 1024 * 1024;
export const HUGE_MEBIBYTES = 200;

/** Answers badly. Resolves when there is nothing more to do, and at the latest when the connection ends. */
export async function answerWithFault(
  fault: Fault,
  response: ServerResponse,
  redirectTo: string,
): Promise<void> {
  const json = { 'content-type': 'application/json' };
  switch (fault) {
    case 'huge':
      response.writeHead(200, json);
      return sendRepeatedly(response, Buffer.alloc(MEBIBYTE, ' '), HUGE_MEBIBYTES);
    case 'huge, as announced':
      response.writeHead(200, { ...json, 'content-length': HUGE_MEBIBYTES * MEBIBYTE });
      return sendRepeatedly(response, Buffer.alloc(MEBIBYTE, ' '), HUGE_MEBIBYTES);
    case 'compressed bomb':
      response.writeHead(200, { ...json, 'content-encoding': 'gzip' });
      response.end(gzipSync(Buffer.alloc(64 * MEBIBYTE, ' ')));
      return;
    case 'empty compressed blocks':
      response.writeHead(200, { ...json, 'content-encoding': 'gzip' });
      return sendEmptyBlocks(response);
    case 'unknown encoding':
      response.writeHead(200, { ...json, 'content-encoding': 'br' });
      response.end('{}');
      return;
    case 'dripping':
      response.writeHead(200, json);
      return drip(response);
    case 'silent':
      await once(response, 'close');
      return;
    case 'hanging up':
      response.destroy();
      return;
    case 'status 500':
      response.writeHead(500, json).end('{"error":"server_error"}');
      return;
    case 'redirect':
      response.writeHead(302, { location: redirectTo }).end();
      return;
    case 'huge headers':
      response.writeHead(200, { ...json, 'x-filler': 'x'.repeat(20_000) }).end('{}');
      return;
    case 'not JSON':
      response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Under maintenance</p>');
      return;
    case 'JSON list':
      response.writeHead(200, json).end('[]');
      return;
    case 'nested 500,000 deep':
      response.writeHead(200, json).end(`${'['.repeat(500_000)}${']'.repeat(500_000)}`);
      return;
  }
}

async function sendRepeatedly(
  response: ServerResponse,
  chunk: Uint8Array,
  times: number,
): Promise<void> {
  for (let sent = 0; sent < times && !response.destroyed; sent += 1) {
    if (!response.write(chunk)) await waitFor(response, 'drain');
  }
  response.end();
}

/** A gzip header, then stored blocks of no length: bytes that decompress to nothing, for ever. */
async function sendEmptyBlocks(response: ServerResponse): Promise<void> {
  response.write(Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]));
  const block = Buffer.from([0, 0, 0, 0xff, 0xff]);
  await sendRepeatedly(response, Buffer.concat(Array.from({ length: 13_000 }, () => block)), 3_000);
}

async function drip(response: ServerResponse): Promise<void> {
  while (!response.destroyed) {
    response.write(' ');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function waitFor(response: ServerResponse, event: string): Promise<void> {
  if (response.destroyed) return;
  const ended = new AbortController();
  const end = (): void => ended.abort();
  response.once('close', end);
  await once(response, event, { signal: ended.signal }).catch(() => undefined);
  response.off('close', end);
}
