// Look-ups at a real server that answers, that knows nothing, and that says nothing at all.
import { onTestFinished, describe, expect, test } from 'vitest';

import { createDnsResolver } from '../../src/dns/dns-resolver.ts';
import { startDnsServer } from '../support/start-dns-server.ts';
import type { StartedDnsServer } from '../support/start-dns-server.ts';

async function startServer(): Promise<StartedDnsServer> {
  const server = await startDnsServer();
  onTestFinished(() => server.stop());
  return server;
}

describe('a look-up', () => {
  test('resolves to the texts, and to none for a name without any', async () => {
    const server = await startServer();
    server.setTxt('_claimgate-challenge.example.com', ['one', 'x'.repeat(300)]);
    const resolver = createDnsResolver({ servers: [server.address] });
    const texts = await resolver.resolveTxt('_claimgate-challenge.example.com');
    expect(texts.toSorted()).toEqual(['one', 'x'.repeat(300)]);
    expect(await resolver.resolveTxt('other.example.com')).toEqual([]);
  });

  test('is given up when the time for all servers is over, however many are silent', async () => {
    const servers = await Promise.all([startServer(), startServer()]);
    for (const server of servers) server.setSilent(true);
    const addresses = servers.map(({ address }) => address);
    // Long before the first of them would have been given up by itself.
    const resolver = createDnsResolver({ servers: addresses, totalMs: 50 });
    await expect(resolver.resolveTxt('example.com')).rejects.toMatchObject({
      name: 'DomainError',
      code: 'unavailable',
      cause: { code: 'ECANCELLED' },
    });
  });
});
