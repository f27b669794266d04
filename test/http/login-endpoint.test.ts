// Forms at the browser's routes, over both protocols: how large one may be, and what becomes of one that is larger.
import { once } from 'node:events';
import { connect } from 'node:http2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';

let claimgate: StartedClaimgate;
beforeAll(async () => {
  claimgate = await startClaimgate();
});
afterAll(() => claimgate.stop());

const FORM = 'application/x-www-form-urlencoded';

type Post = (body: string) => Promise<number>;

const postOverHttp1: Post = async (body) => {
  const { url } = claimgate;
  const headers = { origin: url, 'content-type': FORM };
  const response = await fetch(`${url}/logout`, { method: 'POST', headers, body });
  await response.text();
  return response.status;
};

const postOverHttp2: Post = async (body) => {
  const session = connect(claimgate.url);
  try {
    const request = session.request({
      ':method': 'POST',
      ':path': '/logout',
      origin: claimgate.url,
      'content-type': FORM,
    });
    request.end(body);
    const [headers] = await once(request, 'response');
    return Number(headers[':status']);
  } finally {
    session.destroy();
  }
};

describe.each<[string, Post]>([
  ['HTTP/1.1', postOverHttp1],
  ['HTTP/2', postOverHttp2],
])('a form over %s', (_name, post) => {
  const fill = (length: number): string => `filler=${'a'.repeat(length - 7)}`;

  test('may have 16 KiB', async () => {
    expect(await post(fill(16 * 1024))).toBe(200);
  });

  test.each([16 * 1024 + 1, 600_000])(
    'of %d bytes is refused, and the answer arrives',
    async (length) => {
      expect(await post(fill(length))).toBe(413);
    },
  );
});
