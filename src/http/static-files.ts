/**
 * Owns the serving of the console: its files, read once at the start, and its page at every address that is a page's.
 * It refuses to own how they are made (`vite.config.ts`), and leaves all other addresses alone.
 */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import type { HttpRequest } from './exchange.ts';
import { readPath } from './request-path.ts';
import { createStaticFile, sendStaticFile } from './static-answer.ts';
import type { StaticFile, StaticFiles } from './static-answer.ts';

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
  'docs',
  'healthz',
  'login',
  'logout',
  'readyz',
  'session',
  'signed-in',
]);

/** Plain words between slashes: no dot, so that no RPC, no file and nothing below `/.well-known` is a page. */
const PAGE_PATH = /^(?:\/[\w-]+)+\/?$/;

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
      const path = readPath(request);
      const file = files.get(path) ?? (isPage(path, request) ? getPage() : undefined);
      if (file === undefined) return false;
      request.resume();
      sendStaticFile(request, response, file);
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
    files.set(
      path,
      createStaticFile(plain, {
        type,
        isImmutable: path.startsWith('/assets/'),
        brotli: await readFile(`${file}.br`),
        gzip: await readFile(`${file}.gz`),
      }),
    );
  }
  return files;
}

/** Files are named relatively, for any path of the public URL; pages lie at any depth. */
function renderPage(template: string, publicUrl: string): StaticFile {
  const prefix = new URL(publicUrl).pathname.replace(/\/$/, '');
  const text = template
    .replace(PUBLIC_URL_PLACE, () => PUBLIC_URL_PLACE.replace('""', `"${escape(publicUrl)}"`))
    .replaceAll(/(?<= (?:src|href)=")\.(?=\/)/g, () => escape(prefix));
  return createStaticFile(Buffer.from(text), { type: 'text/html; charset=utf-8' });
}

/** A URL as it is parsed and printed has no quotation marks; ampersands it may have. */
function escape(url: string): string {
  return url.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
}

/** An address of a page that a browser is to show: others who ask for what is not there shall be told so. */
function isPage(path: string, { headers }: HttpRequest): boolean {
  if (path === '/') return true;
  const [, first = ''] = path.split('/', 2);
  if (!PAGE_PATH.test(path) || RESERVED.has(first)) return false;
  return headers.accept?.includes('text/html') === true;
}
