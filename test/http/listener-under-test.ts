// Owns starting a listener that says what it was asked, and ending it after each test.
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { request as requestHttp1 } from 'node:http';
import type { Agent, IncomingHttpHeaders } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import type { ClientHttp2Session, OutgoingHttpHeaders } from 'node:http2';
import { afterEach } from 'vitest';
import type { ErrorPlace, HandleRequest } from '../../src/http/exchange.ts';
import { startListener } from '../../src/http/listener.ts';
import type { Listener, ListenerOptions } from '../../src/http/listener.ts';

const dataFolder = new URL('../data/tls/', import.meta.url);

export const testCertificate = {
  cert: readFileSync(new URL('test-only-cert.pem', dataFolder)),
  key: readFileSync(new URL('test-only-key.pem', dataFolder)),
};

/** Answers with the protocol, the method and the body: what arrived is what was sent. */
export const echo: HandleRequest = async (request, response) => {
  const body: Buffer[] = [];
  for await (const chunk of request) {
    body.push(chunk);
  }
  response.setHeader('X-Protocol', request.httpVersion);
  response.end(`${request.method} ${Buffer.concat(body).toString('latin1')}`);
};

export type ReportedError = { readonly error: unknown; readonly place: ErrorPlace };

const listeners = new Set<Listener>();

afterEach(async () => {
  const open = [...listeners];
  listeners.clear();
  await Promise.all(open.map(async (listener) => listener.close({ drainMs: 1 })));
});

export async function startTestListener(
  options: Partial<ListenerOptions> = {},
): Promise<Listener & { readonly errors: readonly ReportedError[] }> {
  const errors: ReportedError[] = [];
  const listener = await startListener({
    host: '127.0.0.1',
    port: 0,
    handle: echo,
    onError: (error, place) => errors.push({ error, place }),
    ...options,
  });
  listeners.add(listener);
  return { ...listener, errors };
}

export type Answer = {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

/** One HTTP/1.1 request; without an agent, over its own connection. */
export async function callHttp1(
  port: number,
  options: {
    readonly agent?: Agent;
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { agent, method = 'GET', headers = {}, body } = options;
    const request = requestHttp1(
      { host: '127.0.0.1', port, method, headers, agent: agent ?? false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode,
            headers: response.headers,
            body: Buffer.concat(chunks).toString('latin1'),
          }),
        );
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

const sessions = new Set<ClientHttp2Session>();

afterEach(() => {
  for (const session of sessions) {
    session.destroy();
  }
  sessions.clear();
});

export async function openHttp2(
  port: number,
  options: { readonly tls?: boolean } = {},
): Promise<ClientHttp2Session> {
  const session =
    options.tls === true
      ? connectHttp2(`https://localhost:${port}`, { ca: testCertificate.cert })
      : connectHttp2(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  sessions.add(session);
  await once(session, 'connect');
  return session;
}

/** One HTTP/2 request. Rejects when the stream fails. */
export async function callHttp2(
  session: ClientHttp2Session,
  options: { readonly headers?: OutgoingHttpHeaders; readonly body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const method = options.body === undefined ? 'GET' : 'POST';
    const stream = session.request({ ':method': method, ':path': '/', ...options.headers });
    let headers: IncomingHttpHeaders = {};
    let status: number | undefined;
    const chunks: Buffer[] = [];
    stream.on('response', (received) => {
      status = received[':status'];
      headers = received;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('close', () => {
      if (status === undefined) {
        reject(new Error(`stream ended unanswered, code ${stream.rstCode}`));
      } else {
        resolve({ status, headers, body: Buffer.concat(chunks).toString('latin1') });
      }
    });
    stream.end(options.body);
  });
}
