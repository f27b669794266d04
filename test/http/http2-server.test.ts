import { once } from 'node:events';
import { constants } from 'node:http2';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  frameType,
  makeFrame,
  makeRequest,
  makeReset,
  makeSettings,
  parseFrames,
  preface,
  settings,
  settingsAcknowledged,
} from './http2-frames.ts';
import { drip, openRaw } from './raw-connection.ts';
import type { RawConnection } from './raw-connection.ts';
import { callHttp1, callHttp2, openHttp2, startTestListener } from './listener-under-test.ts';

const initialWindowSize = 4;

async function openRawHttp2(port: number, first: Buffer = settings): Promise<RawConnection> {
  const raw = await openRaw(port);
  raw.socket.write(Buffer.concat([preface, first]));
  return raw;
}

function countFrames(bytes: Buffer, type: number): number {
  return parseFrames(bytes).filter((frame) => frame.type === type).length;
}

describe('an HTTP/2 client', () => {
  it('is answered on the port that serves HTTP/1.1, many calls at once', async () => {
    const { port } = await startTestListener();
    const session = await openHttp2(port);
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => callHttp2(session, { body: `${index}` })),
    );
    expect(answers.map((answer) => answer.body)).toEqual(
      answers.map((_, index) => `POST ${index}`),
    );
    expect(answers[0]?.headers['x-protocol']).toBe('2.0');
    expect((await callHttp1(port)).headers['x-protocol']).toBe('1.1');
  });

  it('is told the limits', async () => {
    const { port } = await startTestListener();
    const session = await openHttp2(port);
    await callHttp2(session);
    expect(session.remoteSettings.maxConcurrentStreams).toBe(100);
    expect(session.remoteSettings.maxHeaderListSize).toBe(16_384);
  });

  it('is answered when the preface arrives byte by byte', async () => {
    const { port } = await startTestListener();
    const raw = await openRaw(port);
    raw.socket.setNoDelay();
    await drip(raw.socket, Buffer.concat([preface, settings, makeRequest(1, 'GET')]), 1);
    const received = await raw.receive((bytes) => countFrames(bytes, frameType.data) > 0);
    expect(countFrames(received, frameType.headers)).toBe(1);
    raw.socket.destroy();
  });
});

describe('HTTP/2 headers over the limit', () => {
  it.each([
    ['20 kB of them', { 'x-large': 'a'.repeat(20_000) }],
    [
      '200 of them',
      Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`x-${index}`, 'a'])),
    ],
  ])('%s refuse the stream, and the session goes on', async (_name, headers) => {
    const { port } = await startTestListener();
    const session = await openHttp2(port);
    await callHttp2(session);
    await expect(callHttp2(session, { headers })).rejects.toThrow(/ENHANCE_YOUR_CALM/);
    expect(await callHttp2(session)).toMatchObject({ status: 200 });
  });

  it('are refused also from a client that never acknowledges the limit', async () => {
    let handled = 0;
    const { port } = await startTestListener({
      handle: (_request, response) => {
        handled += 1;
        response.end();
      },
    });
    const raw = await openRawHttp2(port);
    raw.socket.write(makeRequest(1, 'GET', [['x-large', 'a'.repeat(20_000)]]));
    raw.socket.write(makeRequest(3, 'GET'));
    await raw.receive((bytes) => parseFrames(bytes).some((frame) => frame.streamId === 3));
    expect(handled).toBe(1);
    raw.socket.destroy();
  });
});

describe('an HTTP/2 session', () => {
  it.each([
    ['the preface only', preface],
    ['SETTINGS that stop in the middle', Buffer.concat([preface, settings.subarray(0, 5)])],
  ])('that sends %s is closed', async (_name, bytes) => {
    const { port } = await startTestListener({ limits: { silentSocketTimeoutMs: 150 } });
    const raw = await openRaw(port);
    raw.socket.write(bytes);
    expect(countFrames(await raw.closed, frameType.headers)).toBe(0);
  });

  it('that drips its SETTINGS is closed, although bytes keep coming', async () => {
    const { port } = await startTestListener({ limits: { silentSocketTimeoutMs: 150 } });
    const raw = await openRaw(port);
    raw.socket.write(preface);
    const manySettings = makeFrame(frameType.settings, 0, 0, Buffer.alloc(180));
    void drip(raw.socket, manySettings, 30);
    await raw.closed;
    expect(raw.socket.bytesWritten).toBeLessThan(preface.length + manySettings.length);
  });

  it('with no stream open is told to go away after the idle time', async () => {
    const { port } = await startTestListener({
      limits: { http2IdleTimeoutMs: 100, drainGraceMs: 50 },
    });
    const raw = await openRawHttp2(port, Buffer.concat([settings, settingsAcknowledged]));
    raw.socket.write(makeRequest(1, 'GET'));
    const received = await raw.closed;
    const last = parseFrames(received).find((frame) => frame.type === frameType.goAway);
    expect(last?.payload.readUInt32BE(0)).toBe(1);
  });

  it('that idles, and does not close its side either, is cut', async () => {
    const listener = await startTestListener({
      limits: { http2IdleTimeoutMs: 100, drainGraceMs: 50 },
    });
    const socket = connect({ port: listener.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.write(Buffer.concat([preface, settings]));
    socket.resume();
    await once(socket, 'end');
    // Waits for the last connection to be gone.
    await expect(listener.close({ drainMs: 1_000_000 })).resolves.toBeUndefined();
    socket.destroy();
  });

  it('that keeps breaking the protocol is ended', async () => {
    const { port } = await startTestListener();
    const raw = await openRawHttp2(port);
    // A CONTINUATION that continues nothing.
    raw.socket.write(makeFrame(frameType.continuation, 4, 1, Buffer.of(0x82)));
    const received = await raw.closed;
    expect(countFrames(received, frameType.goAway)).toBeGreaterThan(0);
    expect(await callHttp1(port)).toMatchObject({ status: 200 });
  });
});

describe('an HTTP/2 stream', () => {
  it('whose body stalls is cancelled at the deadline', async () => {
    const { port } = await startTestListener({ limits: { exchangeTimeoutMs: 200 } });
    const session = await openHttp2(port);
    const stream = session.request({ ':method': 'POST', ':path': '/' });
    const closed = new Promise((resolve) => {
      stream.on('close', () => resolve(stream.rstCode));
    });
    stream.write('half');
    expect(await closed).toBe(constants.NGHTTP2_CANCEL);
    expect(await callHttp2(session)).toMatchObject({ status: 200 });
  });

  it('whose body drips is cancelled at the deadline, although bytes keep coming', async () => {
    const { port } = await startTestListener({ limits: { exchangeTimeoutMs: 1_000 } });
    const session = await openHttp2(port);
    const stream = session.request({ ':method': 'POST', ':path': '/' });
    stream.on('error', () => undefined);
    const dripping = setInterval(() => stream.write('a'), 300);
    const code = await new Promise((resolve) => {
      stream.on('close', () => resolve(stream.rstCode));
    });
    clearInterval(dripping);
    expect(code).toBe(constants.NGHTTP2_CANCEL);
  });

  it('that nobody reads is cancelled at the deadline', async () => {
    const { port } = await startTestListener({
      limits: { exchangeTimeoutMs: 200 },
      handle: (_request, response) => {
        response.end(Buffer.alloc(1_000_000));
      },
    });
    const raw = await openRawHttp2(port, makeSettings(initialWindowSize, 0));
    raw.socket.write(makeRequest(1, 'GET'));
    const received = await raw.receive((bytes) => countFrames(bytes, frameType.resetStream) === 1);
    expect(countFrames(received, frameType.data)).toBe(0);
    raw.socket.destroy();
  });

  it('that nobody reads, on a connection that nobody reads, takes the connection down', async () => {
    const cut = Promise.withResolvers<void>();
    const { port } = await startTestListener({
      limits: { exchangeTimeoutMs: 200 },
      handle: (request, response) => {
        if ('stream' in request) {
          request.stream.session?.once('close', cut.resolve);
        }
        response.end(Buffer.alloc(50_000_000));
      },
    });
    const window = Buffer.alloc(4);
    window.writeUInt32BE(2 ** 31 - 1 - 65_535);
    const raw = await openRawHttp2(port, makeSettings(initialWindowSize, 2 ** 31 - 1));
    raw.socket.write(makeFrame(frameType.windowUpdate, 0, 0, window));
    raw.socket.pause();
    raw.socket.write(makeRequest(1, 'GET'));
    await expect(cut.promise).resolves.toBeUndefined();
    raw.socket.destroy();
  });

  it('beyond 100 open ones is refused', async () => {
    const open: (() => void)[] = [];
    const { port } = await startTestListener({
      handle: (_request, response) => {
        open.push(() => response.end());
      },
    });
    const raw = await openRawHttp2(port);
    for (let index = 0; index < 110; index += 1) {
      raw.socket.write(makeRequest(2 * index + 1, 'GET'));
    }
    await raw.receive((bytes) => countFrames(bytes, frameType.resetStream) === 10);
    expect(open).toHaveLength(100);
    for (const end of open) {
      end();
    }
    raw.socket.destroy();
  });
});

describe('20,000 streams that are reset at once', () => {
  it('end the session, and reach the handler no more often than the limit allows', async () => {
    let handled = 0;
    const { port } = await startTestListener({
      handle: (_request, response) => {
        handled += 1;
        setImmediate(() => response.end());
      },
    });
    const raw = await openRawHttp2(port);
    const flood: Buffer[] = [];
    for (let index = 0; index < 20_000; index += 1) {
      flood.push(makeRequest(2 * index + 1, 'GET'), makeReset(2 * index + 1));
    }
    raw.socket.write(Buffer.concat(flood));
    const received = await raw.closed;
    expect(countFrames(received, frameType.goAway)).toBeGreaterThan(0);
    expect(handled).toBeLessThan(1_000);
    expect(await callHttp1(port)).toMatchObject({ status: 200 });
    expect(await callHttp2(await openHttp2(port))).toMatchObject({ status: 200 });
  });
});
