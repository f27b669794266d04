// RFC 6797: a server with TLS tells browsers to come back by it, and one without says nothing of it.
import { get } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { startClaimgate } from '../support/start-claimgate.ts';

const folder = join(import.meta.dirname, '../data/tls');
const TLS = {
  CLAIMGATE_TLS_CERT: join(folder, 'test-only-cert.pem'),
  CLAIMGATE_TLS_KEY: join(folder, 'test-only-key.pem'),
};

async function readPolicy(environment: Record<string, string>, path: string) {
  const claimgate = await startClaimgate({ ...TLS, ...environment });
  try {
    const { port } = new URL(claimgate.url);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = { port, path, rejectUnauthorized: false, agent: false };
      get({ host: '127.0.0.1', ...options }, resolve).on('error', reject);
    });
    answer.resume();
    return answer.headers['strict-transport-security'];
  } finally {
    await claimgate.stop();
  }
}

test.each(['/login', '/docs', '/healthz'])('%s over TLS asks for TLS from now on', async (path) => {
  expect(await readPolicy({}, path)).toBe('max-age=31536000');
});

test('localhost, which other servers share, is left alone', async () => {
  const publicUrl = { CLAIMGATE_PUBLIC_URL: 'https://localhost:8443' };
  expect(await readPolicy(publicUrl, '/login')).toBeUndefined();
});

test('nothing is asked for without TLS', async () => {
  const claimgate = await startClaimgate();
  const { headers } = await fetch(`${claimgate.url}/docs`);
  expect(headers.get('strict-transport-security')).toBeNull();
  await claimgate.stop();
});
