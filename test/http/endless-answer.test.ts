import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { liftDeadline } from '../../src/http/exchange.ts';
import { startListener } from '../../src/http/listener.ts';

async function open(isEndless: boolean): Promise<number> {
  const listener = await startListener({
    host: '127.0.0.1',
    port: 0,
    limits: { exchangeTimeoutMs: 100 },
    async handle(request, response) {
      if (isEndless) liftDeadline(response);
      request.resume();
      (response as ServerResponse).write('first ');
      await delay(400);
      response.end('last');
    },
  });
  onTestFinished(() => listener.close({ drainMs: 0 }));
  return listener.port;
}

async function send(port: number, head: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  socket.write(`POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${head}\r\n\r\n`);
  return text(socket);
}

it('an answer without a deadline goes on', async () => {
  expect(await send(await open(true), 'Content-Length: 0')).toContain('last');
});

it.for([
  ['any other answer', false, 'Content-Length: 0'],
  ['one to a request that does not come', true, 'Content-Length: 1'],
] as const)('%s is cut short', async ([, isEndless, head]) => {
  const answer = await send(await open(isEndless), head).catch(() => '');
  expect(answer).not.toContain('last');
});
