import { describe, expect, it } from 'vitest';

import {
  describeNetwork,
  limitCallback,
  limitDiscovery,
  limitLoginStart,
  LOGIN_LIMITS,
} from '../../src/domain/login-limits.ts';
import { createMemoryRateLimiter } from '../../src/limits/memory-rate-limiter.ts';

describe('describeNetwork', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:0:0:1::', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
    ['', ''],
  ])('%s is %s', (address, network) => {
    expect(describeNetwork(address)).toBe(network);
  });
});

async function countAllowed(
  limit: (use: number) => Promise<void>,
  most: number,
): Promise<{ readonly allowed: number; readonly error: unknown }> {
  for (let use = 0; use < most; use += 1) {
    try {
      await limit(use);
    } catch (error) {
      return { allowed: use, error };
    }
  }
  return { allowed: most, error: undefined };
}

describe('limits of logins', () => {
  const cases = [
    [
      'discovery',
      limitDiscovery,
      LOGIN_LIMITS.discoveryByAddress,
      LOGIN_LIMITS.discoveryByEmailDomain,
    ],
    ['start', limitLoginStart, LOGIN_LIMITS.startByAddress, LOGIN_LIMITS.startByEmailDomain],
  ] as const;

  it.each(cases)('%s: one address', async (_name, limit, { count, windowMs }) => {
    const env = { rateLimiter: createMemoryRateLimiter() };
    const { allowed, error } = await countAllowed(
      (use) => limit(env, { address: `2001:db8::${use}`, email: `a@domain-${use}.example` }),
      count + 1,
    );
    expect(allowed).toBe(count);
    expect(error).toMatchObject({
      name: 'DomainError',
      code: 'resource_exhausted',
      retryAfterMs: expect.toSatisfy((ms: number) => ms > 0 && ms <= windowMs),
    });
  });

  it.each(cases)(
    '%s: one email domain from many addresses',
    async (_name, limit, _address, { count }) => {
      const env = { rateLimiter: createMemoryRateLimiter() };
      const { allowed, error } = await countAllowed(
        (use) =>
          limit(env, { address: `192.0.${use >> 8}.${use & 255}`, email: `${use}@Example.com` }),
        count + 1,
      );
      expect(allowed).toBe(count);
      expect(error).toMatchObject({ code: 'resource_exhausted' });
      await limit(env, { address: '198.51.100.1', email: 'a@other.example' });
      await limit(env, { address: '198.51.100.1', email: 'no email' });
    },
  );

  it('callback: one address', async () => {
    const env = { rateLimiter: createMemoryRateLimiter() };
    const { count } = LOGIN_LIMITS.callbackByAddress;
    const { allowed } = await countAllowed(() => limitCallback(env, '192.0.2.7'), count + 1);
    expect(allowed).toBe(count);
    await limitCallback(env, '192.0.2.8');
  });
});
