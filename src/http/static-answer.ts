/**
 * Owns how a file that we ship is sent: compressed as the client likes it, once if it has not changed, and with the headers
 * that keep our pages harmless. It refuses to know which files there are.
 */
import { createHash } from 'node:crypto';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { sendAnswer } from './answer.ts';
import type { HeaderFields } from './answer.ts';
import type { HttpRequest, HttpResponse } from './exchange.ts';

export interface StaticFiles {
  /** Answers, or returns false for what is none of these files. */
  readonly answer: (request: HttpRequest, response: HttpResponse) => boolean;
}

export interface StaticFile {
  readonly type: string;
  readonly etag: string;
  readonly isImmutable: boolean;
  readonly header: HeaderFields;
  readonly plain: Buffer;
  readonly brotli: Buffer;
  readonly gzip: Buffer;
}

export interface StaticFileOptions {
  readonly type: string;
  /** Under a name that changes with its content. */
  readonly isImmutable?: boolean;
  /** In place of ours, or besides. */
  readonly header?: HeaderFields;
  /** Made here unless given. */
  readonly brotli?: Buffer;
  readonly gzip?: Buffer;
}

/** Content Security Policy Level 3. Nothing inline, nothing from elsewhere. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const SECURITY_HEADERS: HeaderFields = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

export function createStaticFile(plain: Buffer, options: StaticFileOptions): StaticFile {
  return {
    type: options.type,
    etag: createHash('sha256').update(plain).digest('base64url').slice(0, 27),
    isImmutable: options.isImmutable ?? false,
    header: options.header ?? {},
    plain,
    brotli: options.brotli ?? brotliCompressSync(plain),
    gzip: options.gzip ?? gzipSync(plain),
  };
}

export function sendStaticFile(
  request: HttpRequest,
  response: HttpResponse,
  file: StaticFile,
): void {
  const accepted = request.headers['accept-encoding'];
  const encoding = selectEncoding([accepted ?? ''].flat().join(','));
  // One for each encoding: they are different bytes (RFC 9110 §8.8.3.3).
  const etag = `"${file.etag}-${encoding}"`;
  const header: HeaderFields = {
    etag,
    'cache-control': file.isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    vary: 'Accept-Encoding, Accept',
    ...SECURITY_HEADERS,
    ...file.header,
  };
  const known = (request.headers['if-none-match'] ?? '').split(',').map((tag) => tag.trim());
  if (known.includes(etag)) {
    sendAnswer(response, { status: 304, header, body: undefined });
    return;
  }
  const body = file[encoding];
  sendAnswer(response, {
    status: 200,
    header: {
      ...header,
      'content-type': file.type,
      'content-length': String(body.byteLength),
      ...(encoding !== 'plain' && { 'content-encoding': encoding === 'brotli' ? 'br' : 'gzip' }),
    },
    body: request.method === 'HEAD' ? undefined : body,
  });
}

/** RFC 9110 §12.5.3, without preferences: of what is accepted at all, the smallest. */
function selectEncoding(accepted: string): 'brotli' | 'gzip' | 'plain' {
  const codings = new Set(
    accepted
      .toLowerCase()
      .split(',')
      .map((part) => part.replaceAll(/\s/g, ''))
      .filter((part) => !/;q=0(?:\.0*)?$/.test(part))
      .map((part) => part.split(';', 1)[0]),
  );
  if (codings.has('br')) return 'brotli';
  return codings.has('gzip') ? 'gzip' : 'plain';
}
