// Owns the proof that our unary path and connect-es's are the same server: generated requests, most of them broken in
// some way, go to both over real sockets, and the answers may differ only as the table says.
import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { generatedRequest } from './unary-generated-requests.ts';
import type { Plan, Written } from './unary-generated-requests.ts';
import { serveOriginal, serveOurs, servicePath } from './unary-service.ts';
import type { HttpVersion } from './unary-service.ts';
import { envelope, openClient, readAnswer } from './unary-wire.ts';
import type { ReadAnswer, WireAnswer, WireRequest } from './unary-wire.ts';

interface Difference {
  readonly what: string;
  readonly why: string;
  readonly example: Written;
  readonly allows: (
    ours: ReadAnswer,
    original: ReadAnswer,
    request: WireRequest,
    plan: Plan,
  ) => boolean;
}

const invalidArgument = new Set(['invalid_argument', '3']);
const internal = new Set(['internal', '13']);
const deadlineExceeded = new Set(['deadline_exceeded', '4']);
const unimplemented = new Set(['unimplemented', '12']);
const tooLarge = new Set(['resource_exhausted', '8']);

const saysEnd = ({ message }: ReadAnswer) =>
  message?.endsWith('Unexpected end of JSON input') === true;
const isMistake = (answer: ReadAnswer) => invalidArgument.has(answer.code ?? '');

function write(
  protocol: 'connect' | 'grpc',
  format: 'json' | 'proto',
  body: Uint8Array | readonly number[],
  headers: Readonly<Record<string, string>> = {},
  rpc = 'GetSSOConfiguration',
): Written {
  return {
    request: {
      method: 'POST',
      path: `${servicePath}/${rpc}`,
      headers: {
        'content-type': `application/${protocol === 'grpc' ? 'grpc+' : ''}${format}`,
        ...headers,
      },
      body: [Buffer.from(body)],
    },
    plan: { protocol, impatient: true, several: true },
  };
}

function get(query: string): Written {
  const path = `${servicePath}/GetSSOConfiguration?${query}`;
  const plan: Plan = { protocol: 'get', impatient: false, several: false };
  return { request: { method: 'GET', path, headers: {}, body: [] }, plan };
}

/** The same as in the head of src/http/unary-adapter.ts. */
const differences: readonly Difference[] = [
  {
    what: 'malformed binary is invalid_argument, not internal',
    why: 'it is the caller who made it; a 500 would say that we are broken',
    example: write('connect', 'proto', [0xff]),
    allows: (ours, original) =>
      isMistake(ours) &&
      internal.has(original.code ?? '') &&
      ours.message === original.message &&
      ours.message?.startsWith('parse binary: ') === true,
  },
  {
    what: 'bytes that do not decompress, cut short, are invalid_argument, not internal',
    why: 'as above; the original has it so for bytes that are wrong, but not for bytes that are missing',
    example: write('connect', 'json', gzipSync('{}').subarray(0, 9), {
      'content-encoding': 'gzip',
    }),
    allows: (ours, original) =>
      isMistake(ours) &&
      internal.has(original.code ?? '') &&
      ours.message === original.message &&
      ours.message === 'decompression failed',
  },
  {
    what: 'broken base64 in a GET is invalid_argument, not internal',
    why: 'as above',
    example: get('encoding=json&base64=1&message=*'),
    allows: (ours, original, request) =>
      isMistake(ours) &&
      internal.has(original.code ?? '') &&
      ours.message === 'invalid base64 string' &&
      request.method === 'GET',
  },
  {
    what: 'an enum value that the schema does not define is invalid_argument, naming the field',
    why: 'the contract says so; the original drops names and takes numbers',
    example: write(
      'connect',
      'json',
      Buffer.from('{"role":"ORGANIZATION_ROLE_KING"}'),
      {},
      'SetRole',
    ),
    allows: (ours) => isMistake(ours) && ours.message?.endsWith('[enum.defined_only]') === true,
  },
  {
    what: 'JSON nested deeper than 100 is invalid_argument in unknown fields too',
    why: 'one limit for all of the text; the original has it for known fields only',
    example: write('connect', 'json', Buffer.from(`{"x":${'['.repeat(1000)}${']'.repeat(1000)}}`)),
    allows: (ours) => isMistake(ours) && ours.message === 'JSON is nested deeper than 100',
  },
  {
    what: 'an empty body as JSON is the empty message',
    why: 'clients without anything to say send it',
    example: write('connect', 'json', []),
    allows: (ours, original) => isMistake(original) && saysEnd(original) && !saysEnd(ours),
  },
  {
    what: 'a deadline that has passed is deadline_exceeded, whatever the handler does',
    why: 'the original waits for the handler, and starts it although the deadline has passed',
    example: write('connect', 'json', Buffer.from('{}'), { 'connect-timeout-ms': '0' }),
    allows: (ours, _original, _request, plan) =>
      deadlineExceeded.has(ours.code ?? '') && plan.impatient,
  },
  {
    what: 'an envelope cut short right after its head is invalid_argument',
    why: 'it is incomplete like any other; the original takes it for nothing at all, and so may run half a call',
    example: write('grpc', 'proto', [0, 0, 0, 0, 9]),
    allows: (ours) => isMistake(ours) && ours.message === 'protocol error: incomplete envelope',
  },
  {
    what: 'a second envelope is counted only after the body is complete',
    why: 'the original judges by what happens to arrive in one chunk',
    example: write(
      'grpc',
      'proto',
      Buffer.concat([envelope(0, Buffer.from([0xff])), envelope(0, Buffer.alloc(0), 0xffffffff)]),
    ),
    allows: (ours, original, _request, plan) =>
      plan.several &&
      [ours, original].every(({ code = '' }) =>
        [unimplemented, tooLarge, invalidArgument, internal].some((codes) => codes.has(code)),
      ),
  },
];

/** Not in the list above, so that it excuses nothing else: answers are compared with their messages decoded. */
const spelling: Difference = {
  what: 'what gRPC need not encode of a message is not encoded',
  why: 'its specification says which characters are; the original encodes all but letters, and grpc-js shows %3A',
  example: write('grpc', 'json', []),
  allows: (ours, original) =>
    ours.message === original.message &&
    ours.trailers['grpc-message'] === 'protocol error: missing input message for unary method' &&
    isDeepStrictEqual(
      { ...ours.trailers, 'grpc-message': '' },
      { ...original.trailers, 'grpc-message': '' },
    ),
};

// How answers are compared ------------------------------------------------------------------------------------------

/** Not of the call but of the connection, the clock, or the way in which a body is cut into pieces. */
const unimportant = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding']);

function comparable(answer: WireAnswer, read: ReadAnswer): unknown {
  const isGrpcWeb = String(answer.headers['content-type']).startsWith('application/grpc-web');
  const headers = Object.entries(answer.headers).filter(
    // connect-es sends gRPC-Web in chunks; we know its size and say it.
    ([name, value]) =>
      !unimportant.has(name) && !(name === 'content-length' && (isGrpcWeb || value === '0')),
  );
  return {
    status: answer.status,
    headers: Object.fromEntries(headers),
    trailers: decodeMessage(answer.trailers),
    read: { ...read, trailers: decodeMessage(read.trailers) },
  };
}

function decodeMessage(trailers: Readonly<Record<string, unknown>>) {
  const message = trailers['grpc-message'];
  if (typeof message !== 'string') return trailers;
  return { ...trailers, 'grpc-message': decodeURIComponent(message) };
}

/**
 * connect-es never answers a gRPC call whose error quotes half a surrogate pair, such as a garbled text that V8's JSON
 * parser cuts in two. We answer with U+FFFD there; nothing is left to compare with.
 */
async function unlessSilent(
  original: Promise<WireAnswer>,
  ours: ReadAnswer,
): Promise<WireAnswer | undefined> {
  if (ours.message?.includes('\ufffd') !== true) return original;
  return Promise.race([original, setTimeout(1000, undefined, { ref: false })]);
}

async function compare(version: HttpVersion, runs: number): Promise<void> {
  const toOurs = openClient(version, await serveOurs(version));
  const toOriginal = openClient(version, await serveOriginal(version));
  await fc.assert(
    fc.asyncProperty(generatedRequest, async ({ request: sent, plan }) => {
      const ours = await toOurs(sent);
      const original = await unlessSilent(toOriginal(sent), readAnswer(ours));
      if (original === undefined) return;
      const [readOurs, readOriginal] = [readAnswer(ours), readAnswer(original)];
      const [got, wanted] = [comparable(ours, readOurs), comparable(original, readOriginal)];
      if (isDeepStrictEqual(got, wanted)) return;
      const allowed = differences.find(({ allows }) => allows(readOurs, readOriginal, sent, plan));
      if (allowed === undefined) expect(got).toEqual(wanted);
    }),
    { numRuns: runs },
  );
}

it('answers over HTTP/1.1 as connect-es does, but for the table of differences', async () => {
  await compare(1, 3000);
}, 240_000);

it('answers over HTTP/2 as connect-es does, but for the table of differences', async () => {
  await compare(2, 2000);
}, 240_000);

it.for([...differences, spelling])('differs on purpose: $what', async ({ example, allows }) => {
  const { request: sent, plan } = example;
  const ours = readAnswer(await openClient(1, await serveOurs(1))(sent));
  const original = readAnswer(await openClient(1, await serveOriginal(1))(sent));
  expect(ours).not.toEqual(original);
  expect(allows(ours, original, sent, plan)).toBe(true);
});
