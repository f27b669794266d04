import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createGuardedFetch } from '../../src/oidc/guarded-fetch.ts';
import type { GuardedFetch, GuardedFetchOptions } from '../../src/oidc/guarded-fetch.ts';
import { GuardedFetchError } from '../../src/oidc/guarded-fetch-error.ts';

const RELAXED = { allowHttp: true, allowPrivate: true } as const;
const STRICT = { allowHttp: true, allowPrivate: false } as const;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(listener: RequestListener, address = '127.0.0.1', port = 0): Promise<Server> {
  const server = createServer(listener);
  server.listen(port, address);
  await once(server, 'listening');
  cleanups.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;
const urlOf = (server: Server): string => `http://127.0.0.1:${portOf(server)}/`;

function create(options: Partial<GuardedFetchOptions> = {}): GuardedFetch {
  const guarded = createGuardedFetch({ ...RELAXED, ...options });
  cleanups.push(() => guarded.close());
  return guarded;
}

async function catchCode(fetched: Promise<unknown>): Promise<string> {
  try {
    await fetched;
  } catch (error) {
    if (error instanceof GuardedFetchError) return error.code;
    throw error;
  }
  return 'answered';
}

const v4 = (address: string): { address: string; family: number } => ({ address, family: 4 });
const v6 = (address: string): { address: string; family: number } => ({ address, family: 6 });

describe('a name', () => {
  test.for([
    { name: 'loopback', answer: [v4('127.0.0.1')] },
    { name: 'a private address', answer: [v4('10.0.0.5')] },
    { name: 'the metadata service', answer: [v4('169.254.169.254')] },
    { name: 'an IPv6 address with another inside', answer: [v6('::ffff:127.0.0.1')] },
    { name: 'NAT64', answer: [v6('64:ff9b::7f00:1')] },
    { name: 'a public and then a private address', answer: [v4('8.8.8.8'), v4('10.0.0.5')] },
    { name: 'a private and then a public address', answer: [v4('10.0.0.5'), v4('8.8.8.8')] },
    { name: 'a public IPv4 and a private IPv6 address', answer: [v4('8.8.8.8'), v6('fd00::1')] },
    { name: 'no address at all', answer: [v4('not an address')] },
  ])('that resolves to $name is refused', async ({ answer }) => {
    const guarded = create({ ...STRICT, resolve: async () => answer });
    expect(await catchCode(guarded.fetch('http://idp.example/'))).toBe('address_refused');
  });

  test('is refused through the system’s resolver too', async () => {
    const guarded = create(STRICT);
    const codes = await Promise.all(
      ['http://localhost:1/', 'http://localhost.:1/'].map((url) => catchCode(guarded.fetch(url))),
    );
    expect(codes[0]).toBe('address_refused');
    expect(codes[1]).toMatch(/^(address_refused|name_not_found)$/);
  });

  test('that does not resolve is named as such', async () => {
    const empty = create({ resolve: async () => [] });
    expect(await catchCode(empty.fetch('http://idp.example/'))).toBe('name_not_found');
    const failing = create({ resolve: () => Promise.reject(new Error('ENOTFOUND')) });
    expect(await catchCode(failing.fetch('http://idp.example/'))).toBe('name_not_found');
  });

  test('that changes its answer is connected to at the address that was judged, resolved once', async () => {
    // Two servers on one port of two addresses, of which the second stands for one that is refused.
    const judged = await start((_request, response) => response.end('judged'));
    const port = portOf(judged);
    await start((_request, response) => response.end('rebound'), '127.0.0.2', port);
    let resolutions = 0;
    const guarded = create({
      resolve: async () => [v4((resolutions += 1) === 1 ? '127.0.0.1' : '127.0.0.2')],
      judge: (address) => (address === '127.0.0.1' ? undefined : 'refused'),
    });
    const first = await guarded.fetch(`http://idp.example:${port}/`);
    expect(await first.text()).toBe('judged');
    expect(resolutions).toBe(1);
    // A POST opens a connection of its own, so the name is resolved again, and the new answer judged.
    const second = guarded.fetch(`http://idp.example:${port}/`, { method: 'POST', body: '' });
    expect(await catchCode(second)).toBe('address_refused');
    expect(resolutions).toBe(2);
  });

  test('with several addresses is reached at the one that answers', async () => {
    const server = await start((_request, response) => response.end('here'));
    const guarded = create({ resolve: async () => [v4('127.0.0.9'), v4('127.0.0.1')] });
    const response = await guarded.fetch(`http://idp.example:${portOf(server)}/`);
    expect(await response.text()).toBe('here');
  });
});

describe('an answer', () => {
  const MEBIBYTE = 1024 * 1024;

  test.for([
    { size: MEBIBYTE, code: 'answered' },
    { size: MEBIBYTE + 1, code: 'body_too_large' },
  ])('of $size bytes is $code, announced or not', async ({ size, code }) => {
    const server = await start((request, response) => {
      if (request.url === '/announced') response.setHeader('content-length', size);
      response.end(Buffer.alloc(size));
    });
    const guarded = create();
    expect(await catchCode(guarded.fetch(`${urlOf(server)}announced`))).toBe(code);
    expect(await catchCode(guarded.fetch(urlOf(server)))).toBe(code);
  });

  test('has its type and its date, and no cookies', async () => {
    const server = await start((_request, response) => {
      response.setHeader('set-cookie', 'a=b');
      response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
    });
    const response = await create().fetch(urlOf(server));
    expect([...response.headers.keys()]).toEqual(['content-type', 'date']);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.status).toBe(404);
  });

  test.for([301, 302, 303, 307, 308])(
    'that redirects with %i is refused, and not followed',
    async (status) => {
      let requests = 0;
      const server = await start((_request, response) => {
        requests += 1;
        response.writeHead(status, { location: '/elsewhere' }).end();
      });
      expect(await catchCode(create().fetch(urlOf(server)))).toBe('redirected');
      expect(requests).toBe(1);
    },
  );

  test.for([
    { name: 'a status beyond 599', raw: 'HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n' },
    { name: 'another protocol', raw: 'SSH-2.0-OpenSSH_9.9\r\n' },
    {
      name: 'two different lengths',
      raw: 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
    },
  ])('of $name is refused', async ({ raw }) => {
    const server = await start(() => undefined);
    server.on('connection', (socket) => socket.end(raw));
    expect(await catchCode(create().fetch(urlOf(server)))).toBe('protocol_error');
  });

  test('that takes the place of a protocol never switches to another', async () => {
    const server = await start(() => undefined);
    server.on('connection', (socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    );
    expect(await catchCode(create().fetch(urlOf(server)))).toBe('protocol_error');
  });

  test('whose 1xx never end is given up', async () => {
    const server = await start((_request, response) => {
      const timer = setInterval(() => response.writeProcessing(), 10);
      response.on('close', () => clearInterval(timer));
    });
    const guarded = create({ limits: { totalMs: 150 } });
    expect(await catchCode(guarded.fetch(urlOf(server)))).toBe('timeout');
  });
});

describe('a request', () => {
  test('asks for no compression, sends no cookie, and names no library', async () => {
    let headers: Record<string, unknown> = {};
    const server = await start((request, response) => {
      headers = request.headers;
      response.setHeader('set-cookie', 'a=b').end('{}');
    });
    const guarded = create();
    await guarded.fetch(urlOf(server));
    await guarded.fetch(urlOf(server), { headers: { accept: 'application/json' } });
    expect(headers).toEqual({
      accept: 'application/json',
      'accept-encoding': 'identity',
      'user-agent': 'claimgate',
      host: `127.0.0.1:${portOf(server)}`,
      connection: 'keep-alive',
    });
  });

  test('takes no proxy from the environment', async () => {
    const proxied: unknown[] = [];
    const proxy = await start((request, response) => {
      proxied.push(request.url);
      response.end('proxied');
    });
    const server = await start((_request, response) => response.end('direct'));
    const names = ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'] as const;
    const before = names.map((name) => process.env[name]);
    cleanups.push(() => {
      for (const [index, name] of names.entries()) {
        const value = before[index];
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    });
    for (const name of names)
      process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : urlOf(proxy);
    expect(await (await create().fetch(urlOf(server))).text()).toBe('direct');
    expect(proxied).toEqual([]);
  });

  test('that finds its kept connection closed is sent again when it is a GET', async () => {
    let requests = 0;
    const server = await start((request, response) => {
      requests += 1;
      if (requests === 2) request.socket.resetAndDestroy();
      else response.end('{}');
    });
    const guarded = create();
    await guarded.fetch(urlOf(server));
    expect(await catchCode(guarded.fetch(urlOf(server)))).toBe('answered');
    expect(requests).toBe(3);
  });

  test('is never sent again when it is a POST', async () => {
    let requests = 0;
    const server = await start((request) => {
      requests += 1;
      request.socket.resetAndDestroy();
    });
    const post = create().fetch(urlOf(server), { method: 'POST', body: 'code=1' });
    expect(await catchCode(post)).toBe('connect_failed');
    expect(requests).toBe(1);
  });

  test('to where nobody listens fails, and says no address', async () => {
    const server = await start(() => undefined);
    const url = `http://idp.example:${portOf(server)}/`;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    cleanups.length = 0;
    const guarded = create({ resolve: async () => [v4('127.0.0.1')] });
    const error = await guarded.fetch(url).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'connect_failed' });
    expect(String(error)).not.toContain('127.0.0.1');
  });

  test('over TLS to a server that speaks none fails as TLS', async () => {
    const server = await start((_request, response) => response.end('{}'));
    const url = urlOf(server).replace('http:', 'https:');
    expect(await catchCode(create().fetch(url))).toBe('tls_failed');
  });

  test('that gets no TLS handshake is given up as a connection', async () => {
    const server = await start(() => undefined);
    server.removeAllListeners('connection');
    server.on('connection', (socket) => cleanups.push(() => socket.destroy()));
    const guarded = create({ limits: { connectMs: 100 } });
    const url = urlOf(server).replace('http:', 'https:');
    expect(await catchCode(guarded.fetch(url))).toBe('connect_timeout');
  });

  test('whose name nobody answers for is given up as a connection', async () => {
    const guarded = create({
      limits: { connectMs: 100 },
      resolve: () => new Promise(() => undefined),
    });
    expect(await catchCode(guarded.fetch('http://idp.example/'))).toBe('connect_timeout');
  });

  test('ends when its caller gives up, before or while it runs', async () => {
    const server = await start(() => undefined);
    const guarded = create();
    const aborted = AbortSignal.abort();
    expect(await catchCode(guarded.fetch(urlOf(server), { signal: aborted }))).toBe('aborted');
    const controller = new AbortController();
    server.once('request', () => controller.abort());
    const running = guarded.fetch(urlOf(server), { signal: controller.signal });
    expect(await catchCode(running)).toBe('aborted');
  });

  test('that fails leaves no connection behind', async () => {
    const server = await start((_request, response) => response.end(Buffer.alloc(4_000_000)));
    const guarded = create();
    const attempts = Array.from({ length: 10 }, () => catchCode(guarded.fetch(urlOf(server))));
    expect(new Set(await Promise.all(attempts))).toEqual(new Set(['body_too_large']));
    await expect
      .poll(
        () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count))),
      )
      .toBe(0);
  });
});
