/** Owns one connection over which calls are timed one by one, each to the end of its answer. */
import { Agent, request } from 'node:http';

import { OPERATOR_TOKEN, ORGANIZATION_SERVICE } from './claimgate-process.ts';

export interface JsonCaller {
  /**
   * Resolves to how long it took, in microseconds, and to what came.
   *
   * @param from the address that a trusted proxy would tell
   */
  readonly time: (method: string, message: object, from?: string) => Promise<TimedAnswer>;
  readonly close: () => void;
}

export interface TimedAnswer {
  readonly microseconds: number;
  readonly text: string;
}

export function openJsonCaller(port: number, service = ORGANIZATION_SERVICE): JsonCaller {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    async time(method, message, from) {
      const body = Buffer.from(JSON.stringify(message));
      const startedAt = performance.now();
      const path = `/${service}/${method}`;
      const { status, text } = await post(agent, { port, path, from }, body);
      const microseconds = (performance.now() - startedAt) * 1000;
      if (status !== 200) throw new Error(`${method} answered ${status}: ${text}`);
      return { microseconds, text };
    },
    close: () => agent.destroy(),
  };
}

function post(
  agent: Agent,
  { port, path, from }: { port: number; path: string; from: string | undefined },
  body: Buffer,
): Promise<{ readonly status: number | undefined; readonly text: string }> {
  const headers = {
    authorization: `Bearer ${OPERATOR_TOKEN}`,
    'content-type': 'application/json',
    'content-length': body.length,
    ...(from !== undefined && { 'x-forwarded-for': from }),
  };
  return new Promise((resolve, reject) => {
    request({ agent, port, path, host: '127.0.0.1', method: 'POST', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.once('end', () => resolve({ status: response.statusCode, text }));
      response.once('error', reject);
    })
      .once('error', reject)
      .end(body);
  });
}
