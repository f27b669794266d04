import { once } from 'node:events';
import { request as requestHttps } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { startListener } from '../../src/http/listener.ts';
import { makeRequest, preface, settings } from './http2-frames.ts';
import { observe, openRaw } from './raw-connection.ts';
import {
  callHttp1,
  callHttp2,
  echo,
  openHttp2,
  startTestListener,
  testCertificate,
} from './listener-under-test.ts';

async function openTls(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connectTls({
    host: '127.0.0.1',
    servername: 'localhost',
    port,
    ca: testCertificate.cert,
    ...options,
  });
  await once(socket, 'secureConnect');
  return socket;
}

describe('starting a listener', () => {
  it('says where it listens', async () => {
    const { port } = await startTestListener();
    expect(port).toBeGreaterThan(0);
  });

  it('fails on a port that is taken', async () => {
    const { port } = await startTestListener();
    await expect(startListener({ host: '127.0.0.1', port, handle: echo })).rejects.toThrow(
      /EADDRINUSE/,
    );
  });

  it('fails on a certificate that is none', async () => {
    const tls = { cert: 'no certificate', key: testCertificate.key };
    await expect(startListener({ host: '127.0.0.1', port: 0, tls, handle: echo })).rejects.toThrow(
      /no start line/i,
    );
  });

  it('fails on limits that are none', async () => {
    await expect(startTestListener({ limits: { headerBytes: 0 } })).rejects.toThrow(RangeError);
  });
});

describe('a listener with TLS', () => {
  it('speaks HTTP/2 with who offers it', async () => {
    const { port } = await startTestListener({ tls: testCertificate });
    const session = await openHttp2(port, { tls: true });
    const answer = await callHttp2(session, { body: 'hello' });
    expect(answer).toMatchObject({ body: 'POST hello', headers: { 'x-protocol': '2.0' } });
    expect(session.alpnProtocol).toBe('h2');
  });

  it('speaks HTTP/1.1 with who offers that', async () => {
    const { port } = await startTestListener({ tls: testCertificate });
    const request = requestHttps({
      port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: testCertificate.cert,
      agent: false,
    });
    request.end();
    const [response] = await once(request, 'response');
    expect(response).toMatchObject({ statusCode: 200, httpVersion: '1.1' });
    response.resume();
    await once(response, 'end');
  });

  it('prefers HTTP/2 where a client offers both', async () => {
    const { port } = await startTestListener({ tls: testCertificate });
    const socket = await openTls(port, { ALPNProtocols: ['http/1.1', 'h2'] });
    expect(socket.alpnProtocol).toBe('h2');
    socket.destroy();
  });

  it.each([
    ['HTTP/1.1', { ALPNProtocols: ['http/1.1'] }],
    ['nothing', {}],
  ])('speaks HTTP/1.1 with a client that offers %s', async (_name, offered) => {
    const { port } = await startTestListener({ tls: testCertificate });
    const socket = await openTls(port, offered);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect((await observe(socket).closed).toString('latin1')).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  it('refuses TLS 1.1', async () => {
    const { port } = await startTestListener({ tls: testCertificate });
    await expect(
      openTls(port, {
        minVersion: 'TLSv1.1',
        maxVersion: 'TLSv1.1',
        ciphers: 'DEFAULT@SECLEVEL=0',
      }),
    ).rejects.toThrow(/protocol version/);
  });

  it.each([
    ['nothing', ''],
    ['the beginning of a handshake', Buffer.from('16030100a5010000a10303', 'hex')],
  ])('closes a connection that sends %s and no more', async (_name, bytes) => {
    const { port, errors } = await startTestListener({
      tls: testCertificate,
      limits: { silentSocketTimeoutMs: 100 },
    });
    const raw = await openRaw(port);
    raw.socket.write(bytes);
    await raw.closed;
    expect(errors.map((error) => error.place)).toEqual(['client']);
  });

  it('closes a connection without TLS', async () => {
    const { port } = await startTestListener({ tls: testCertificate });
    const raw = await openRaw(port);
    raw.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await raw.closed).toString('latin1')).not.toContain('HTTP');
  });

  it('answers slow headers with 408', async () => {
    const { port } = await startTestListener({
      tls: testCertificate,
      limits: { headersTimeoutMs: 150, timeoutCheckIntervalMs: 50 },
    });
    const raw = observe(await openTls(port, {}));
    raw.socket.write('GET / HTTP/1.1\r\n');
    expect((await raw.closed).toString('latin1')).toMatch(/^HTTP\/1\.1 408 /);
  });
});

describe('a handler that fails', () => {
  const failures = [
    [
      'throws',
      () => {
        throw new Error('secret detail');
      },
    ],
    ['rejects', async () => Promise.reject(new Error('secret detail'))],
  ] as const;

  it.each(failures)('and %s makes a 500 without detail, and is reported', async (_name, fail) => {
    const { port, errors } = await startTestListener({
      handle: (_request, response) => {
        response.setHeader('X-Request-Id', 'r1');
        response.setHeader('Set-Cookie', 'a=b');
        response.setHeader('Content-Length', '5');
        return fail();
      },
    });
    const answers = [await callHttp1(port), await callHttp2(await openHttp2(port))];
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 500, body: 'Internal Server Error\n' });
      expect(answer.headers['x-request-id']).toBe('r1');
      expect(answer.headers).not.toHaveProperty('set-cookie');
      expect(JSON.stringify(answer)).not.toContain('secret');
    }
    expect(errors).toHaveLength(2);
    expect(errors[0]).toMatchObject({ place: 'handle', error: { message: 'secret detail' } });
  });

  it('in the middle of an answer cuts it short', async () => {
    const { port } = await startTestListener({
      handle: (_request, response) => {
        response.setHeader('Content-Length', '100');
        if ('stream' in response) {
          response.write('begun');
        } else {
          response.write('begun');
        }
        throw new Error('too late');
      },
    });
    await expect(callHttp1(port)).rejects.toThrow(/aborted|hang up/);
    await expect(callHttp2(await openHttp2(port))).rejects.toThrow(/INTERNAL_ERROR/);
  });

  it('is survived even if reporting it fails as well', async () => {
    const { port } = await startTestListener({
      handle: () => {
        throw new Error('first');
      },
      onError: () => {
        throw new Error('second');
      },
    });
    expect(await callHttp1(port)).toMatchObject({ status: 500 });
  });
});

describe('a connection that breaks', () => {
  it.each([
    ['unread', ''],
    ['in its headers', 'GET / HTTP/1.1\r\nHos'],
    ['in its body', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf'],
    ['before its answer', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['in the preface', preface.subarray(0, 20)],
    ['after the preface', preface],
    ['in an HTTP/2 request', Buffer.concat([preface, settings, makeRequest(1, 'POST')])],
  ])('%s harms nobody', async (_name, bytes) => {
    const { port, errors } = await startTestListener({
      handle: async (request, response) => {
        await echo(request, response);
        response.end('and once more, after the end');
      },
    });
    for (let count = 0; count < 20; count += 1) {
      const socket = connectPlain(port, '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      socket.write(bytes, () => setTimeout(() => socket.resetAndDestroy(), count % 4));
      await once(socket, 'close');
    }
    expect(await callHttp1(port)).toMatchObject({ status: 200 });
    // The handler may see its request aborted; nothing else may fail.
    expect(errors.filter((error) => error.place === 'accept')).toEqual([]);
  });
});

describe('the number of connections', () => {
  it('is limited, and those beyond are closed unanswered', async () => {
    const { port } = await startTestListener({ limits: { maxConnections: 3 } });
    const first = await Promise.all([openRaw(port), openRaw(port), openRaw(port)]);
    const fourth = await openRaw(port);
    expect(await fourth.closed).toHaveLength(0);
    first[0]?.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await first[0]?.receive((bytes) => bytes.includes('200 OK'));
    for (const raw of first) {
      raw.socket.destroy();
    }
  });

  it('may be thousands that are idle, and others are served', async () => {
    // Each takes two file descriptors here, which is why these are not more.
    const count = 2_000;
    const { port, errors } = await startTestListener();
    const idle = [];
    for (let opened = 0; opened < count; opened += 250) {
      idle.push(...(await Promise.all(Array.from({ length: 250 }, async () => openRaw(port)))));
    }
    const session = await openHttp2(port);
    for (let call = 0; call < 20; call += 1) {
      expect(await callHttp1(port)).toMatchObject({ status: 200 });
      expect(await callHttp2(session)).toMatchObject({ status: 200 });
    }
    expect(errors).toEqual([]);
    for (const raw of idle) {
      raw.socket.destroy();
    }
  });
});
