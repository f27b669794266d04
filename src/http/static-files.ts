/**
 * Owns the serving of the console: its files, read once at the start, and its page at every address that is a page's.
 * It refuses to own how they are made (`vite.config.ts`), and leaves all other addresses alone.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { sendAnswer } from './answer.ts';
import type { HeaderFields } from './answer.ts';
import type { HttpRequest, HttpResponse } from './exchange.ts';

export interface StaticFiles {
  /** Answers, or returns false for what is not the console's. */
  readonly answer: (request: HttpRequest, response: HttpResponse) => boolean;
}

interface StaticFile {
  readonly type: string;
  readonly etag: string;
  /** Under a name that changes with its content. */
  readonly isImmutable: boolean;
  readonly plain: Buffer;
  readonly brotli: Buffer;
  readonly gzip: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const PAGE = 'index.html';
const PUBLIC_URL_PLACE = '<meta name="claimgate-public-url" content="" />';

/** First parts of addresses that others answer, also where they answer with 404. RPCs have a dot in theirs. */
const RESERVED: ReadonlySet<string> = new Set([
  'api',
  'assets',
  'auth',
  'healthz',
  'login',
  'logout',
  'readyz',
  'session',
  'signed-in',
]);

/** Plain words between slashes: no dot, so that no RPC, no file and nothing below `/.well-known` is a page. */
const PAGE_PATH = /^\/(?:[\w-]+\/?)*$/;

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

/** Where the console has been built to: beside the sources, or beside `dist` in the package. */
export function findConsoleFolder(): string | undefined {
  return ['../../dist-console', '../../../dist-console']
    .map((path) => join(import.meta.dirname, path))
    .find((folder) => existsSync(join(folder, PAGE)));
}

/** @param env its public URL is written into the page; it is read with each request, as it is known late */
export async function loadStaticFiles(
  folder: string,
  env: { readonly publicUrl: string },
): Promise<StaticFiles> {
  const files = await readFiles(folder);
  const template = await readFile(join(folder, PAGE), 'utf8');
  let page: { readonly publicUrl: string; readonly file: StaticFile } | undefined;
  return {
    answer(request, response) {
      if (request.method !== 'GET' && request.method !== 'HEAD') return false;
      const [path = ''] = (request.url ?? '').split('?', 1);
      const file = files.get(path) ?? (isPage(path, request) ? getPage() : undefined);
      if (file === undefined) return false;
      request.resume();
      sendFile(request, response, file);
      return true;
    },
  };

  function getPage(): StaticFile {
    const { publicUrl } = env;
    if (page?.publicUrl !== publicUrl) page = { publicUrl, file: renderPage(template, publicUrl) };
    return page.file;
  }
}

async function readFiles(folder: string): Promise<ReadonlyMap<string, StaticFile>> {
  const files = new Map<string, StaticFile>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined || entry.name === PAGE) continue;
    const file = join(entry.parentPath, entry.name);
    const path = `/${relative(folder, file).split(sep).join('/')}`;
    const plain = await readFile(file);
    files.set(path, {
      ...describe(plain, type, path.startsWith('/assets/')),
      brotli: await readFile(`${file}.br`),
      gzip: await readFile(`${file}.gz`),
    });
  }
  return files;
}

/** Files are named relatively, for any path of the public URL; pages lie at any depth. */
function renderPage(template: string, publicUrl: string): StaticFile {
  const prefix = new URL(publicUrl).pathname.replace(/\/$/, '');
  const plain = Buffer.from(
    template
      .replace(PUBLIC_URL_PLACE, () => PUBLIC_URL_PLACE.replace('""', `"${escape(publicUrl)}"`))
      .replaceAll(/(?<= (?:src|href)=")\.(?=\/)/g, () => escape(prefix)),
  );
  return {
    ...describe(plain, 'text/html; charset=utf-8', false),
    brotli: brotliCompressSync(plain),
    gzip: gzipSync(plain),
  };
}

/** A URL as it is parsed and printed has no quotation marks; ampersands it may have. */
function escape(url: string): string {
  return url.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
}

function describe(plain: Buffer, type: string, isImmutable: boolean) {
  const etag = createHash('sha256').update(plain).digest('base64url').slice(0, 27);
  return { plain, type, etag, isImmutable };
}

/** An address of a page that a browser is to show: others who ask for what is not there shall be told so. */
function isPage(path: string, { headers }: HttpRequest): boolean {
  if (path === '/') return true;
  const [, first = ''] = path.split('/', 2);
  if (!PAGE_PATH.test(path) || RESERVED.has(first)) return false;
  return headers.accept?.includes('text/html') === true;
}

function sendFile(request: HttpRequest, response: HttpResponse, file: StaticFile): void {
  const accepted = request.headers['accept-encoding'];
  const encoding = selectEncoding([accepted ?? ''].flat().join(','));
  // One for each encoding: they are different bytes (RFC 9110 §8.8.3.3).
  const etag = `"${file.etag}-${encoding}"`;
  const header: HeaderFields = {
    etag,
    'cache-control': file.isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    vary: [response.getHeader('vary') ?? [], 'Accept-Encoding', 'Accept'].flat().join(', '),
    ...SECURITY_HEADERS,
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
