import { Agent } from 'node:http';
import { describe, expect, it } from 'vitest';
import { frameType, makeRequest, parseFrames, preface, settings } from './http2-frames.ts';
import { openRaw } from './raw-connection.ts';
import {
  callHttp1,
  callHttp2,
  openHttp2,
  startTestListener,
  testCertificate,
} from './listener-under-test.ts';
import type { HandleRequest } from '../../src/http/exchange.ts';

const drainMs = 8_000;

async function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

/** Takes a few milliseconds, as a handler that asks a database does. */
const answerSoon: HandleRequest = async (_request, response) => {
  await pause(Math.random() * 10);
  response.end('done');
};

/** Resolves when the listener has been asked; its answer waits for `release`. */
function makeGate(): {
  readonly handle: HandleRequest;
  readonly asked: Promise<void>;
  readonly release: () => void;
} {
  const asked = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  return {
    asked: asked.promise,
    release: gate.resolve,
    handle: async (_request, response) => {
      asked.resolve();
      await gate.promise;
      response.end('done');
    },
  };
}

describe('closing the listener', () => {
  it('refuses new connections and tells that it drains', async () => {
    const { port, close, draining } = await startTestListener();
    expect(draining.aborted).toBe(false);
    const closed = close({ drainMs });
    expect(draining.aborted).toBe(true);
    await closed;
    await expect(callHttp1(port)).rejects.toThrow(/ECONNREFUSED/);
  });

  it('lets an HTTP/1.1 request finish and ends its connection', async () => {
    const gate = makeGate();
    const { port, close } = await startTestListener({ handle: gate.handle });
    const agent = new Agent({ keepAlive: true });
    const call = callHttp1(port, { agent });
    await gate.asked;
    const closed = close({ drainMs });
    await pause(50);
    gate.release();
    expect(await call).toMatchObject({ status: 200, headers: { connection: 'close' } });
    await closed;
  });

  it('lets an HTTP/2 request finish and ends its session', async () => {
    const gate = makeGate();
    const { port, close } = await startTestListener({
      handle: gate.handle,
      limits: { drainGraceMs: 50 },
    });
    const session = await openHttp2(port);
    const call = callHttp2(session);
    await gate.asked;
    const closed = close({ drainMs });
    await pause(200);
    gate.release();
    expect(await call).toMatchObject({ status: 200, body: 'done' });
    await closed;
  });

  it('serves the request that an idle HTTP/1.1 connection still brings', async () => {
    const { port, close } = await startTestListener();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await callHttp1(port, { agent });
    const closed = close({ drainMs });
    await pause(20);
    expect(await callHttp1(port, { agent })).toMatchObject({
      status: 200,
      headers: { connection: 'close' },
    });
    await closed;
  });

  it('tells an HTTP/2 client which request is the last one served, before it answers it', async () => {
    const { port, close } = await startTestListener();
    const raw = await openRaw(port);
    raw.socket.write(Buffer.concat([preface, settings, makeRequest(1, 'GET')]));
    await raw.receive((bytes) =>
      parseFrames(bytes).some((frame) => frame.streamId === 1 && (frame.flags & 1) === 1),
    );
    const closed = close({ drainMs });
    await pause(20);
    raw.socket.write(makeRequest(3, 'GET'));
    await pause(20);
    raw.socket.write(Buffer.concat([makeRequest(5, 'GET'), makeRequest(7, 'GET')]));
    const frames = parseFrames(await raw.closed);
    const farewells = frames.filter((frame) => frame.type === frameType.goAway);
    // nghttp2 repeats it when the session ends.
    expect(new Set(farewells.map((frame) => frame.payload.readUInt32BE(0)))).toEqual(new Set([7]));
    const told = frames
      .filter((frame) => frame.type === frameType.headers || frame.type === frameType.goAway)
      .map((frame) => frame.streamId);
    expect(told.slice(0, 5)).toEqual([1, 0, 3, 5, 7]);
    await closed;
  });

  it.each(['nothing', 'half a preface', 'an idle HTTP/1.1 connection', 'an idle HTTP/2 session'])(
    'does not wait for %s',
    async (name) => {
      const { port, close } = await startTestListener({ limits: { drainGraceMs: 50 } });
      if (name === 'an idle HTTP/2 session') {
        await callHttp2(await openHttp2(port));
      } else {
        const raw = await openRaw(port);
        raw.socket.write(
          { 'half a preface': 'PRI *', nothing: '' }[name] ?? 'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
        );
        await pause(50);
      }
      await expect(close({ drainMs: 1_000_000 })).resolves.toBeUndefined();
    },
  );

  it('does not wait for a TLS handshake that never ends', async () => {
    const { port, close } = await startTestListener({
      tls: testCertificate,
      limits: { drainGraceMs: 50 },
    });
    const raw = await openRaw(port);
    await pause(50);
    await close({ drainMs: 1_000_000 });
    expect(await raw.closed).toHaveLength(0);
  });

  it('cuts what is left after the drain time, over both protocols', async () => {
    const { port, close } = await startTestListener({ handle: () => undefined });
    const calls = Promise.allSettled([callHttp2(await openHttp2(port)), callHttp1(port)]);
    await pause(50);
    await close({ drainMs: 100 });
    expect((await calls).map((call) => call.status)).toEqual(['rejected', 'rejected']);
  });

  it('may be asked for twice', async () => {
    const { close } = await startTestListener();
    await Promise.all([close({ drainMs }), close({ drainMs })]);
    await expect(close({ drainMs })).resolves.toBeUndefined();
  });
});

describe('closing under load', () => {
  /** Calls until told that the connection is over; a refusal to connect is no failed call. */
  async function loadHttp1(
    port: number,
    calls: { done: number; failed: unknown[] },
  ): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (;;) {
      try {
        const answer = await callHttp1(port, { agent, method: 'POST', body: 'x' });
        calls.done += 1;
        if (answer.headers.connection === 'close') {
          break;
        }
      } catch (error) {
        calls.failed.push(error);
        break;
      }
    }
    agent.destroy();
  }

  async function loadHttp2(
    port: number,
    calls: { done: number; failed: unknown[] },
    tls: boolean,
  ): Promise<void> {
    const session = await openHttp2(port, { tls });
    const lane = async () => {
      while (!session.closed && !session.destroyed) {
        try {
          await callHttp2(session, { body: 'x' });
          calls.done += 1;
        } catch (error) {
          calls.failed.push(error);
          return;
        }
      }
    };
    await Promise.all(Array.from({ length: 8 }, lane));
  }

  it.each([
    ['without TLS', false],
    ['with TLS', true],
  ])('fails no call %s', async (_name, tls) => {
    const { port, close, errors } = await startTestListener({
      handle: answerSoon,
      ...(tls ? { tls: testCertificate } : {}),
    });
    const calls: { done: number; failed: unknown[] } = { done: 0, failed: [] };
    const load = [
      ...Array.from({ length: tls ? 0 : 20 }, async () => loadHttp1(port, calls)),
      ...Array.from({ length: 5 }, async () => loadHttp2(port, calls, tls)),
    ];
    await pause(300);
    const before = calls.done;
    await close({ drainMs });
    await Promise.all(load);
    expect(calls.failed).toEqual([]);
    expect(before).toBeGreaterThan(0);
    expect(calls.done).toBeGreaterThan(before);
    expect(errors.filter((error) => error.place !== 'client')).toEqual([]);
  });
});
