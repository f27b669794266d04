// The console's files over real HTTP, from a folder of this test: which addresses are its own, and how they are answered.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request as sendRequest } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { brotliCompressSync, brotliDecompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { loadStaticFiles } from '../../src/http/static-files.ts';

const PAGE = `<!doctype html><meta name="claimgate-public-url" content="" />
<link rel="icon" href="./icon.svg"><script src="./assets/main-1a2b.js"></script>`;
const SCRIPT = 'console.log("./assets");\n'.repeat(50);

const env = { publicUrl: 'https://sso.example.com' };
let folder = '';
let port = 0;
const server = createServer();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claimgate-console-'));
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'index.html'), PAGE);
  await writeFile(join(folder, 'secret.txt'), 'not for the web');
  for (const name of ['assets/main-1a2b.js', 'icon.svg']) {
    await writeFile(join(folder, name), SCRIPT);
    await writeFile(join(folder, `${name}.br`), brotliCompressSync(SCRIPT));
    await writeFile(join(folder, `${name}.gz`), gzipSync(SCRIPT));
  }
  const files = await loadStaticFiles(folder, env);
  server.on('request', (request, response) => {
    if (!files.answer(request, response)) response.writeHead(404).end('not ours');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});

afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

/** Without what `fetch` would add and unpack. */
async function ask(path: string, headers: Record<string, string> = {}, method = 'GET') {
  const request = sendRequest({ port, host: '127.0.0.1', path, headers, method, agent: false });
  request.end();
  const [response] = await once(request, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const answered: IncomingHttpHeaders = response.headers;
  return {
    status: Number(response.statusCode),
    headers: answered,
    body: Buffer.concat(chunks),
  };
}

const BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

describe('An address', () => {
  test.for([
    ['/', BROWSER, true],
    ['/', {}, true],
    ['/configurations', BROWSER, true],
    ['/configurations/', BROWSER, true],
    ['/organizations/01234567-89ab-7def-8123-456789abcdef/configurations', BROWSER, true],
    ['/configurations?x=1', BROWSER, true],
    ['/configurations', {}, false],
    ['/configurations', { accept: 'application/json' }, false],
    ['/gitpod.v1.OrganizationService/ListMembers', BROWSER, false],
    ['/api/gitpod.v1.OrganizationService/ListMembers', BROWSER, false],
    ['/api', BROWSER, false],
    ['/login', BROWSER, false],
    ['/login/a', BROWSER, false],
    ['/logout', BROWSER, false],
    ['/session', BROWSER, false],
    ['/signed-in', BROWSER, false],
    ['/auth/oidc/callback/x', BROWSER, false],
    ['/healthz', BROWSER, false],
    ['/readyz', BROWSER, false],
    ['/.well-known/jwks.json', BROWSER, false],
    ['/assets/gone-9f9f', BROWSER, false],
    ['/assets/gone-9f9f.js', BROWSER, false],
    ['/secret.txt', BROWSER, false],
    ['/index.html', BROWSER, false],
    ['/assets/main-1a2b.js.br', BROWSER, false],
    ['/assets/../secret.txt', BROWSER, false],
    ['/..%2fsecret.txt', BROWSER, false],
    ['//evil.example', BROWSER, false],
    ['/__proto__', BROWSER, true],
    // Told within the time of a test, whatever a pattern could try.
    [`/${'a'.repeat(5000)}.php`, BROWSER, false],
    [`/${'a/-'.repeat(3000)}!`, BROWSER, false],
  ] as const)('%s with %o is a page: %s', async ([path, headers, isPage]) => {
    const { status, body } = await ask(path, headers);
    expect(status).toBe(isPage ? 200 : 404);
    expect(body.toString().includes('claimgate-public-url')).toBe(isPage);
  });

  test('is not answered for other methods', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
      expect(await ask('/', BROWSER, method)).toMatchObject({ status: 404 });
  });
});

describe('The page', () => {
  test('holds no more than its policy allows, and is asked for again each time', async () => {
    const { headers } = await ask('/', BROWSER);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("script-src 'self'; style-src 'self'");
    expect(policy).not.toContain('unsafe');
    expect(policy).not.toContain('http');
  });

  test('names the public URL, and its files below that URL’s path', async () => {
    const plain = await ask('/a/b', BROWSER);
    expect(plain.body.toString()).toContain('content="https://sso.example.com"');
    expect(plain.body.toString()).toContain('src="/assets/main-1a2b.js"');
    env.publicUrl = 'https://example.com/sso/?a&b';
    const below = await ask('/a/b', BROWSER);
    expect(below.body.toString()).toContain('content="https://example.com/sso/?a&amp;b"');
    expect(below.body.toString()).toContain('src="/sso/assets/main-1a2b.js"');
    expect(below.headers.etag).not.toBe(plain.headers.etag);
    env.publicUrl = 'https://sso.example.com';
  });
});

describe('A file', () => {
  const FILE = '/assets/main-1a2b.js';

  test.for([
    [undefined, undefined],
    ['', undefined],
    ['identity', undefined],
    ['deflate, zstd', undefined],
    ['gzip', 'gzip'],
    ['gzip, deflate, br, zstd', 'br'],
    ['GZIP;q=0.5, BR;q=0.1', 'br'],
    ['br;q=0, gzip', 'gzip'],
    ['br; q=0.00, gzip;q=0', undefined],
  ] as const)('accepted as %s comes as %s', async ([accepted, encoding]) => {
    const headers = accepted === undefined ? {} : { 'accept-encoding': accepted };
    const answer = await ask(FILE, headers);
    expect(answer.headers['content-encoding']).toBe(encoding);
    expect(answer.headers['content-length']).toBe(String(answer.body.byteLength));
    expect(answer.headers.vary).toContain('Accept-Encoding');
    if (encoding === undefined) expect(answer.body.toString()).toBe(SCRIPT);
    if (encoding === 'br') expect(brotliDecompressSync(answer.body).toString()).toBe(SCRIPT);
  });

  test('named by its content may be kept for ever, another is asked for again', async () => {
    expect((await ask(FILE)).headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
    });
    expect((await ask('/icon.svg')).headers).toMatchObject({
      'content-type': 'image/svg+xml',
      'cache-control': 'no-cache',
    });
  });

  test('that is known already is not sent again, in the encoding that is known', async () => {
    const { headers } = await ask(FILE, { 'accept-encoding': 'br' });
    const etag = String(headers.etag);
    const known = { 'if-none-match': `"other", ${etag}` };
    const again = await ask(FILE, { 'accept-encoding': 'br', ...known });
    expect(again.status).toBe(304);
    expect(again.body.byteLength).toBe(0);
    expect(again.headers.etag).toBe(etag);
    expect((await ask(FILE, known)).status).toBe(200);
  });

  test('is told of by HEAD', async () => {
    const { status, headers, body } = await ask(FILE, {}, 'HEAD');
    expect(status).toBe(200);
    expect(headers['content-length']).toBe(String(Buffer.byteLength(SCRIPT)));
    expect(body.byteLength).toBe(0);
  });
});
