/**
 * Owns the serving of the API's description: `/openapi.json` with the server's own URL in it, and a page for people at
 * `/docs`. Both are public, as the schema is. It refuses to own how they are made (`scripts/generate-openapi.ts`).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HttpRequest, HttpResponse } from './exchange.ts';
import { readPath } from './request-path.ts';
import { createStaticFile, sendStaticFile } from './static-answer.ts';
import type { StaticFile, StaticFiles } from './static-answer.ts';

/** Beside the sources, and beside what is built of them. */
const FOLDER = join(import.meta.dirname, '../../gen');

/** For anybody's page, such as a viewer of one's own. */
const PUBLIC = {
  'access-control-allow-origin': '*',
  'cross-origin-resource-policy': 'cross-origin',
};

/** @param env its public URL is written into the document; it is read with each request, as it is known late */
export function createApiDocuments(env: { readonly publicUrl: string }): StaticFiles {
  // Few ask for them, so nothing is read before somebody does.
  const made = new Map<string, StaticFile>();
  const remember = (key: string, make: () => StaticFile): StaticFile => {
    const file = made.get(key) ?? make();
    made.set(key, file);
    return file;
  };
  const readers: Readonly<Record<string, () => StaticFile>> = {
    '/docs': () => remember('page', () => readPage('index.html', 'text/html; charset=utf-8')),
    '/docs/style.css': () =>
      remember('style', () => readPage('style.css', 'text/css; charset=utf-8')),
    '/openapi.json': () =>
      remember(`document of ${env.publicUrl}`, () => describeApi(env.publicUrl)),
  };
  return {
    answer(request: HttpRequest, response: HttpResponse) {
      if (request.method !== 'GET' && request.method !== 'HEAD') return false;
      const path = readPath(request);
      const read = Object.hasOwn(readers, path) ? readers[path] : undefined;
      if (read === undefined) return false;
      request.resume();
      sendStaticFile(request, response, read());
      return true;
    },
  };
}

function readPage(name: string, type: string): StaticFile {
  return createStaticFile(readFileSync(join(FOLDER, 'docs', name)), { type });
}

function describeApi(publicUrl: string): StaticFile {
  const base = publicUrl.replace(/\/$/, '');
  const document: { readonly servers: readonly { readonly url: string }[] } = JSON.parse(
    readFileSync(join(FOLDER, 'openapi.json'), 'utf8'),
  );
  const servers = document.servers.map((server) => ({
    ...server,
    url: `${base}${server.url === '/' ? '' : server.url}`,
  }));
  return createStaticFile(Buffer.from(JSON.stringify({ ...document, servers })), {
    type: 'application/json',
    header: PUBLIC,
  });
}
