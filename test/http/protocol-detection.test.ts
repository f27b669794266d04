import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchPreface } from '../../src/http/protocol-detection.ts';
import { preface } from './http2-frames.ts';
import { drip, openRaw } from './raw-connection.ts';
import { startTestListener } from './listener-under-test.ts';

describe('matchPreface', () => {
  it.each([
    ['nothing', '', 'undecided'],
    ['a first letter that both may have', 'P', 'undecided'],
    ['a method that begins like the preface', 'PR', 'undecided'],
    ['POST', 'POST / HTTP/1.1\r\n', 'http1'],
    ['a PRI request of another version', 'PRI * HTTP/1.1\r\n\r\n', 'http1'],
    ['the preface but for its last byte', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r', 'undecided'],
    ['the preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'http2'],
    ['the preface and more', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0', 'http2'],
    ['the preface in lower case', 'pri * http/2.0\r\n\r\nsm\r\n\r\n', 'http1'],
    ['a TLS handshake', '\x16\x03\x01\x02\x00', 'http1'],
  ])('judges %s', (_name, bytes, expected) => {
    expect(matchPreface(Buffer.from(bytes, 'latin1'))).toBe(expected);
  });

  it('is http2 exactly for what starts with the preface', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (rest) => {
        expect(matchPreface(Buffer.concat([preface, rest]))).toBe('http2');
      }),
    );
  });

  it('once decided, never changes its mind, however much follows', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .nat({ max: 24 })
        .chain((length) =>
          fc
            .uint8Array({ maxLength: 16 })
            .map((rest) => new Uint8Array([...preface.subarray(0, length), ...rest])),
        ),
    );
    fc.assert(
      fc.property(bytes, (all) => {
        const verdicts = Array.from({ length: all.length + 1 }, (_, length) =>
          matchPreface(all.subarray(0, length)),
        );
        const decided = verdicts.filter((verdict) => verdict !== 'undecided');
        expect(new Set(decided).size).toBeLessThanOrEqual(1);
        expect(verdicts.slice(verdicts.length - decided.length)).toEqual(decided);
      }),
    );
  });
});

describe('detectProtocol', () => {
  it('hands over every byte, wherever the first packet is cut', async () => {
    const { port } = await startTestListener();
    const text =
      'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello';
    for (const cut of [1, 2, 5, 24, text.length - 3]) {
      const raw = await openRaw(port);
      raw.socket.setNoDelay();
      raw.socket.write(text.slice(0, cut));
      await drip(raw.socket, text.slice(cut, cut + 1), 5);
      raw.socket.write(text.slice(cut + 1));
      const answer = (await raw.closed).toString('latin1');
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(answer).toMatch(/\r\nPOST hello\r\n|POST hello$/);
    }
  });

  it.each([
    ['says nothing', ''],
    ['stops in the middle of the preface', 'PRI * HTTP/2.0'],
  ])('closes a connection that %s', async (_name, sent) => {
    const { port } = await startTestListener({ limits: { silentSocketTimeoutMs: 100 } });
    const raw = await openRaw(port);
    raw.socket.write(sent);
    expect(await raw.closed).toHaveLength(0);
  });

  it('closes a connection that drips the preface, although bytes keep coming', async () => {
    const { port } = await startTestListener({ limits: { silentSocketTimeoutMs: 150 } });
    const raw = await openRaw(port);
    void drip(raw.socket, preface, 20);
    expect(await raw.closed).toHaveLength(0);
    expect(raw.socket.bytesWritten).toBeLessThan(preface.length);
  });

  it('closes a connection that the client ends undecided', async () => {
    const { port } = await startTestListener();
    const raw = await openRaw(port);
    raw.socket.end('PRI');
    expect(await raw.closed).toHaveLength(0);
  });
});
