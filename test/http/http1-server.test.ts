import { Agent, ServerResponse } from 'node:http';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drip, openRaw } from './raw-connection.ts';
import { callHttp1, startTestListener } from './listener-under-test.ts';

/** Times so short that a test can wait for them. */
const impatient = {
  headersTimeoutMs: 200,
  requestTimeoutMs: 400,
  timeoutCheckIntervalMs: 50,
  exchangeTimeoutMs: 10_000,
};

async function sendRaw(port: number, bytes: string | Buffer): Promise<string> {
  const raw = await openRaw(port);
  raw.socket.write(bytes);
  return (await raw.closed).toString('latin1');
}

describe('an HTTP/1.1 client', () => {
  it('is answered, again and again on one connection', async () => {
    const { port } = await startTestListener();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    agent.on('free', (socket: { localPort?: number }) => ports.add(socket.localPort));
    for (const body of ['one', 'two', 'three']) {
      const answer = await callHttp1(port, { agent, method: 'POST', body });
      expect(answer.body).toBe(`POST ${body}`);
      expect(answer.headers['x-protocol']).toBe('1.1');
    }
    expect(ports.size).toBe(1);
    agent.destroy();
  });

  it('may pipeline', async () => {
    const { port } = await startTestListener();
    const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
    const last = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const answers = await sendRaw(port, request + request + last);
    expect(answers.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3);
  });
});

describe('what HTTP/1.1 cannot parse', () => {
  it.each([
    ['a method that is none', 'BREW!! / HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['another protocol', 'GET / FTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['a header without a name', 'GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n', 400],
    [
      'length and chunks at once, as request smugglers send',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['a TLS handshake on the plain port', Buffer.from('16030100a5010000a10303', 'hex'), 400],
    ['20 kB of headers', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
    ['20 kB of path', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
    ['CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n', 405],
  ])('%s is answered plainly and closed', async (_name, bytes, status) => {
    const { port } = await startTestListener();
    const answer = await sendRaw(port, bytes);
    expect(answer).toMatch(
      new RegExp(`^HTTP/1\\.1 ${status} [^\\r]+\\r\\nConnection: close\\r\\n`),
    );
    expect(answer.split('HTTP/1.1 ')).toHaveLength(2);
    expect(await callHttp1(port)).toMatchObject({ status: 200 });
  });

  it('is never answered with a 500, whatever it is', async () => {
    const { port, errors } = await startTestListener({ limits: impatient });
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.constantFrom('', 'GET / HTTP/1.1\r\n', 'POST / HTTP/1.1\r\nHost: x\r\n'),
        async (bytes, start) => {
          const raw = await openRaw(port);
          raw.socket.end(Buffer.concat([Buffer.from(start), bytes]));
          expect((await raw.closed).toString('latin1')).toMatch(/^(?:HTTP\/1\.1 [24]\d\d |$)/);
        },
      ),
      { numRuns: 60 },
    );
    expect(errors.filter((error) => error.place !== 'client')).toEqual([]);
  });
});

describe('a slow HTTP/1.1 client', () => {
  it.each([
    ['sends half its headers and stops', 'GET / HTTP/1.1\r\nHost: x\r\nX-Half: '],
    [
      'sends half its body and stops',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf',
    ],
    [
      'sends half its chunks and stops',
      'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
    ],
  ])('that %s gets 408', async (_name, bytes) => {
    const { port } = await startTestListener({ limits: impatient });
    expect(await sendRaw(port, bytes)).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
  });

  it.each([
    ['headers', `GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ${'a'.repeat(2_000)}`, ''],
    ['its body', 'a'.repeat(2_000), 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n'],
  ])('that drips %s gets 408, although bytes keep coming', async (_name, dripped, first) => {
    const { port } = await startTestListener({ limits: impatient });
    const raw = await openRaw(port);
    raw.socket.write(first);
    void drip(raw.socket, dripped, 30);
    expect((await raw.closed).toString('latin1')).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
  });

  it('is closed when it idles too long between requests', async () => {
    const { port } = await startTestListener({ limits: { keepAliveTimeoutMs: 100 } });
    expect(await sendRaw(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 200 OK\r\n/,
    );
  });

  it('is cut when it does not read its answer', async () => {
    const { port } = await startTestListener({
      limits: { exchangeTimeoutMs: 300 },
      handle: (_request, response) => {
        response.end(Buffer.alloc(50_000_000));
      },
    });
    const raw = await openRaw(port);
    raw.socket.pause();
    raw.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    // Read again only when the server has long given up.
    setTimeout(() => raw.socket.resume(), 600);
    expect((await raw.closed).length).toBeLessThan(50_000_000);
  });
});

describe('a handler that never answers', () => {
  it('costs the HTTP/1.1 client a 503 at the deadline', async () => {
    const { port } = await startTestListener({
      limits: { exchangeTimeoutMs: 100 },
      handle: () => undefined,
    });
    expect(await sendRaw(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 503 Service Unavailable\r\nConnection: close\r\n/,
    );
  });

  it('may still try to answer after the deadline without harm', async () => {
    const { port } = await startTestListener({
      limits: { exchangeTimeoutMs: 50 },
      handle: (_request, response) => {
        setTimeout(() => {
          if (response instanceof ServerResponse) {
            response.writeHead(200);
            response.write('late');
            response.end('later');
          }
        }, 150);
      },
    });
    const answer = await sendRaw(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer).not.toContain('late');
  });
});
