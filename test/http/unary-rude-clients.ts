// Owns clients that do not behave: that promise a body and send none, go away in the middle, or never stop sending.
import { once } from 'node:events';
import { request as requestHttp1 } from 'node:http';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';
import { servicePath } from './unary-service.ts';

const typeJson = { 'content-type': 'application/json' };

/** Sends a head that promises a body, and no body; resolves with the answer's body. */
export async function stall(
  version: 1 | 2,
  port: number,
  rpc: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  let text = '';
  if (version === 1) {
    const request = requestHttp1({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: `${servicePath}/${rpc}`,
      headers: { ...typeJson, ...headers, 'content-length': 100 },
    });
    request.on('error', () => undefined);
    request.flushHeaders();
    const [response] = (await once(request, 'response')) as [AsyncIterable<Buffer>];
    for await (const chunk of response) text += chunk.toString();
    request.destroy();
    return text;
  }
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  onTestFinished(() => session.destroy());
  const stream = session.request(
    { ':method': 'POST', ':path': `${servicePath}/${rpc}`, ...typeJson, ...headers },
    { endStream: false },
  );
  for await (const chunk of stream) text += String(chunk);
  stream.close(constants.NGHTTP2_CANCEL);
  return text;
}

/** Starts a call; returns what breaks it off. With `missing`, so many bytes of its body never come. */
export function abandon(
  version: 1 | 2,
  port: number,
  rpc: string,
  type = 'application/json',
  missing = 0,
): () => void {
  const body = type === 'application/json' ? '{}' : '';
  if (version === 1) {
    const request = requestHttp1({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: `${servicePath}/${rpc}`,
      headers: { 'content-type': type, 'content-length': body.length + missing },
    });
    request.on('error', () => undefined);
    request.write(`${body} `.slice(0, Math.max(1, body.length)));
    return () => request.destroy();
  }
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  onTestFinished(() => session.destroy());
  const stream = session.request(
    { ':method': 'POST', ':path': `${servicePath}/${rpc}`, 'content-type': type },
    { endStream: false },
  );
  stream.on('error', () => undefined);
  stream.write(body);
  if (missing === 0) stream.end();
  return () => stream.close(constants.NGHTTP2_CANCEL);
}

/** Sends more than any server should read after its answer; resolves when it may not go on. */
export async function flood(version: 1 | 2, port: number): Promise<void> {
  return version === 1 ? floodHttp1(port) : floodHttp2(port);
}

async function floodHttp1(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => void socket.once('close', resolve));
  socket.resume();
  socket.write(
    `POST ${servicePath}/GetSSOConfiguration HTTP/1.1\r\nHost: x\r\nX-Refuse: 1\r\nContent-Type: application/json\r\n` +
      'Content-Length: 1000000000\r\n\r\n',
  );
  const chunk = Buffer.alloc(65_536);
  const pour = () => {
    while (socket.writable && socket.write(chunk));
  };
  socket.on('drain', pour);
  pour();
  await closed;
}

async function floodHttp2(port: number): Promise<void> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  onTestFinished(() => session.destroy());
  const stream = session.request(
    {
      ':method': 'POST',
      ':path': `${servicePath}/GetSSOConfiguration`,
      'x-refuse': '1',
      ...typeJson,
    },
    { endStream: false },
  );
  stream.on('error', () => undefined);
  const closed = new Promise((resolve) => void stream.once('close', resolve));
  stream.resume();
  const chunk = Buffer.alloc(65_536);
  const pour = () => {
    while (stream.writable && stream.write(chunk));
  };
  stream.on('drain', pour);
  pour();
  await closed;
}
