import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { LOGIN_LIMITS } from '../../src/domain/login-limits.ts';
import { parseAddressBlock, readClientAddress } from '../../src/http/client-address.ts';
import type { AddressBlock } from '../../src/http/client-address.ts';
import { callJson } from '../support/call-json.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';

function parseBlocks(...texts: readonly string[]): readonly AddressBlock[] {
  return texts.map((text) => {
    const block = parseAddressBlock(text);
    if (block === undefined) throw new Error(`no block: ${text}`);
    return block;
  });
}

const PROXIES = ['10.0.0.0/8', '2001:db8:1::/48', '192.0.2.1'];

describe('the client address behind 10.0.0.0/8, 2001:db8:1::/48 and 192.0.2.1', () => {
  test.each<
    [peer: string | undefined, forwardedFor: string | string[] | undefined, client: string]
  >([
    // Nobody whom we trust is in between.
    ['203.0.113.7', undefined, '203.0.113.7'],
    ['203.0.113.7', '198.51.100.1', '203.0.113.7'],
    ['203.0.113.7', '10.0.0.1', '203.0.113.7'],
    ['192.0.2.2', '198.51.100.1', '192.0.2.2'],
    ['2001:db8:2::1', '198.51.100.1', '2001:db8:2::1'],
    // A proxy wrote the last one; those before it, anybody may have.
    ['10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['192.0.2.1', '198.51.100.1', '198.51.100.1'],
    ['10.0.0.1', '1.2.3.4, 198.51.100.1', '198.51.100.1'],
    ['10.0.0.1', '127.0.0.1,198.51.100.1', '198.51.100.1'],
    ['10.0.0.1', '  198.51.100.1  ', '198.51.100.1'],
    ['10.0.0.1', '\t198.51.100.1', '198.51.100.1'],
    ['2001:db8:1::5', '2001:db8:9::1', '2001:db8:9::1'],
    // Proxies behind proxies.
    ['10.0.0.1', '198.51.100.1, 10.0.0.2', '198.51.100.1'],
    ['10.0.0.1', '1.2.3.4, 198.51.100.1, 10.0.0.3, 10.0.0.2', '198.51.100.1'],
    ['10.0.0.1', '198.51.100.1, 2001:db8:1::7, 192.0.2.1', '198.51.100.1'],
    ['10.0.0.1', ['1.2.3.4', '198.51.100.1, 10.0.0.2'], '198.51.100.1'],
    // All of them are ours: the farthest one called by itself.
    ['10.0.0.1', undefined, '10.0.0.1'],
    ['10.0.0.1', '', '10.0.0.1'],
    ['10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    // What is no address ends the way there, and is never taken.
    ['10.0.0.1', 'unknown', '10.0.0.1'],
    ['10.0.0.1', '198.51.100.1, _hidden, 10.0.0.2', '10.0.0.2'],
    ['10.0.0.1', '198.51.100.1,', '10.0.0.1'],
    ['10.0.0.1', '198.51.100.1:4711', '10.0.0.1'],
    ['10.0.0.1', '[2001:db8:9::1]', '10.0.0.1'],
    ['10.0.0.1', '198.51.100.1; DROP TABLE', '10.0.0.1'],
    ['10.0.0.1', '198.51.100.1/32', '10.0.0.1'],
    // Other spellings of the same.
    ['::ffff:10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['::ffff:203.0.113.7', '198.51.100.1', '203.0.113.7'],
    ['10.0.0.1', '::ffff:198.51.100.1', '198.51.100.1'],
    ['10.0.0.1', '198.51.100.1, ::ffff:10.0.0.2', '198.51.100.1'],
    ['10.0.0.1', '2001:DB8:0009::0001', '2001:db8:9::1'],
    // A connection that is gone has no address.
    [undefined, undefined, ''],
    [undefined, '198.51.100.1', ''],
    ['', '198.51.100.1', ''],
  ])('is of peer %j with X-Forwarded-For %j: %j', (peer, forwardedFor, client) => {
    expect(readClientAddress(peer, forwardedFor, parseBlocks(...PROXIES))).toBe(client);
  });
});

const address = fc.oneof(fc.ipV4(), fc.ipV6());

test('Without trusted proxies, the client address is the peer, whatever X-Forwarded-For says', () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.oneof(fc.string(), fc.array(fc.string())), (peer, forwardedFor) => {
      expect(readClientAddress(peer, forwardedFor, [])).toBe(peer);
    }),
  );
});

test('Whatever a client writes, the address that our proxy puts behind it is the one that counts', () => {
  const proxies = parseBlocks('10.0.0.0/8');
  const client = fc.ipV4().filter((text) => !text.startsWith('10.'));
  fc.assert(
    fc.property(fc.string(), client, (written, real) => {
      const forwardedFor = `${written}, ${real}`;
      expect(readClientAddress('10.0.0.1', forwardedFor, proxies)).toBe(real);
      expect(readClientAddress('10.0.0.1', [written, real], proxies)).toBe(real);
    }),
  );
});

test('The client address is an address or nothing, in its shortest spelling', () => {
  const hops = fc.array(fc.oneof(address, fc.string())).map((parts) => parts.join(','));
  const everybody = parseBlocks('0.0.0.0/0', '::/0');
  fc.assert(
    fc.property(fc.oneof(address, fc.string()), hops, (peer, forwardedFor) => {
      const client = readClientAddress(peer, forwardedFor, everybody);
      expect(client).toMatch(/^(?:|[0-9.]{7,15}|[0-9a-f:]{2,39})$/);
      expect(readClientAddress(client, undefined, [])).toBe(client);
    }),
  );
});

describe('an address block', () => {
  test.each(['10.0.0.0/8', '10.1.2.3', '::1', '2001:db8::/32', '0.0.0.0/0', '::ffff:10.0.0.1'])(
    'is %j',
    (text) => {
      expect(parseAddressBlock(text)).toBeDefined();
    },
  );

  test.each([
    '',
    ' ',
    'localhost',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '*',
    '10.0.0.256',
  ])('is not %j', (text) => {
    expect(parseAddressBlock(text)).toBeUndefined();
  });

  test('of one address holds no other', () => {
    const [only] = [parseBlocks('::ffff:10.0.0.1')];
    expect(readClientAddress('10.0.0.1', '198.51.100.1', only)).toBe('198.51.100.1');
    expect(readClientAddress('10.0.0.2', '198.51.100.1', only)).toBe('10.0.0.2');
  });
});

describe('the running server', () => {
  /** So many calls as an address may make, each with another X-Forwarded-For, and one more. */
  async function askFromEverywhere(server: StartedClaimgate): Promise<readonly unknown[]> {
    const codes: unknown[] = [];
    for (let count = 0; count <= LOGIN_LIMITS.discoveryByAddress.count; count += 1) {
      const headers = { 'x-forwarded-for': `198.51.100.${count}` };
      const body = { email: 'ada@unknown.example' };
      const rpc = 'AccountService/GetSSOLoginURL';
      codes.push((await callJson(server.url, rpc, body, { headers })).body['code']);
    }
    return codes;
  }

  let wary: StartedClaimgate;
  let elsewhere: StartedClaimgate;
  let trusting: StartedClaimgate;

  beforeAll(async () => {
    wary = await startClaimgate();
    elsewhere = await startClaimgate({ CLAIMGATE_TRUSTED_PROXIES: '10.0.0.0/8' });
    trusting = await startClaimgate({ CLAIMGATE_TRUSTED_PROXIES: '10.0.0.0/8, 127.0.0.0/8' });
  });

  afterAll(async () => {
    await wary.stop();
    await elsewhere.stop();
    await trusting.stop();
  });

  test('counts calls by X-Forwarded-For only where it comes from a proxy that it trusts', async () => {
    for (const server of [wary, elsewhere]) {
      expect((await askFromEverywhere(server)).at(-1)).toBe('resource_exhausted');
    }
    expect((await askFromEverywhere(trusting)).at(-1)).toBe('not_found');
  });
});
