import { describe, expect, it } from 'vitest';
import { sendAnswer } from '../../src/http/answer.ts';
import { applyCors } from '../../src/http/cors.ts';
import { callHttp1, callHttp2, openHttp2, startTestListener } from './listener-under-test.ts';
import type { Listener } from '../../src/http/listener.ts';

const allowed = ['https://app.example.com', 'http://localhost:5173', 'null'];

async function startWithCors(): Promise<Listener> {
  return startTestListener({
    handle: (request, response) => {
      if (applyCors(request, response, allowed) === 'continue') {
        sendAnswer(response, { status: 200, header: {}, body: Buffer.from('handled') });
      }
    },
  });
}

function corsHeaders(headers: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.startsWith('access-control-')),
  );
}

describe('applyCors', () => {
  it('answers the preflight of an allowed origin', async () => {
    const { port } = await startWithCors();
    const answer = await callHttp1(port, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example.com',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
    expect(answer).toMatchObject({ status: 204, body: '' });
    expect(answer.headers.vary).toBe('Origin');
    expect(corsHeaders(answer.headers)).toMatchInlineSnapshot(`
      {
        "access-control-allow-credentials": "true",
        "access-control-allow-headers": "Content-Type, Connect-Protocol-Version, Connect-Timeout-Ms, Connect-Content-Encoding, Connect-Accept-Encoding, Content-Encoding, Accept-Encoding, Grpc-Message-Type, X-Grpc-Web, X-User-Agent, Grpc-Timeout, Authorization, X-Request-Id, Claimgate-Preview, Claimgate-Initial-State",
        "access-control-allow-methods": "POST, GET",
        "access-control-allow-origin": "https://app.example.com",
        "access-control-max-age": "7200",
      }
    `);
  });

  it('lets an allowed origin read the answer', async () => {
    const { port } = await startWithCors();
    const headers = { origin: 'http://localhost:5173' };
    const answers = [
      await callHttp1(port, { headers }),
      await callHttp2(await openHttp2(port), { headers }),
    ];
    for (const answer of answers) {
      expect(answer.body).toBe('handled');
      expect(answer.headers.vary).toBe('Origin');
      expect(corsHeaders(answer.headers)).toMatchInlineSnapshot(`
        {
          "access-control-allow-credentials": "true",
          "access-control-allow-origin": "http://localhost:5173",
          "access-control-expose-headers": "Grpc-Status, Grpc-Message, Grpc-Status-Details-Bin, Content-Encoding, Connect-Content-Encoding, X-Request-Id, Retry-After, Retry-After-Ms, X-Should-Retry, Claimgate-Preview",
        }
      `);
    }
  });

  it.each([
    ['another origin', 'https://evil.example.com'],
    ['another scheme', 'http://app.example.com'],
    ['another port', 'https://app.example.com:8443'],
    ['a longer name', 'https://app.example.com.evil.org'],
    ['another case', 'https://APP.example.com'],
    ['a trailing slash', 'https://app.example.com/'],
    ['two origins', 'https://app.example.com, https://evil.example.com'],
    ['a sandboxed page, even if somebody allows "null"', 'null'],
    ['a wildcard', '*'],
    ['an empty one', ''],
  ])('gives %s no permission, and no hint of who has one', async (_name, origin) => {
    const { port } = await startWithCors();
    const preflight = await callHttp1(port, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    const actual = await callHttp1(port, { method: 'POST', headers: { origin } });
    expect(actual.body).toBe('handled');
    for (const answer of [preflight, actual]) {
      expect(corsHeaders(answer.headers)).toEqual({});
      expect(answer.headers.vary).toBe('Origin');
    }
  });

  it.each([
    ['without an origin', { 'access-control-request-method': 'POST' }],
    ['that announces no request', { origin: 'https://app.example.com' }],
  ])('leaves an OPTIONS request %s to the others', async (_name, headers: object) => {
    const { port } = await startWithCors();
    const answer = await callHttp1(port, { method: 'OPTIONS', headers: { ...headers } });
    expect(answer).toMatchObject({ status: 200, body: 'handled' });
  });

  it('keeps what else the answer varies by', async () => {
    const { port } = await startTestListener({
      handle: (request, response) => {
        applyCors(request, response, allowed);
        sendAnswer(response, {
          status: 200,
          header: { vary: 'Accept-Encoding' },
          body: undefined,
        });
      },
    });
    const answers = [await callHttp1(port), await callHttp2(await openHttp2(port))];
    for (const answer of answers) {
      expect(answer.headers.vary).toBe('Origin, Accept-Encoding');
    }
  });
});
