/**
 * Owns how often strangers may ask where they sign in, begin to sign in, and come back. Counting is behind the port
 * `rate-limiter.ts`.
 *
 * The limits keep one stranger from listing our customers and from filling the store. They leave room for an office
 * whose people share one address and all arrive at nine.
 */
import { readEmailDomain } from './email-domain.ts';
import { DomainError } from './errors.ts';
import type { Environment } from './ports.ts';
import type { RateLimit } from './rate-limiter.ts';

const MINUTE_MS = 60_000;

/** Each counts on its own. An address is an IPv4 address or the network of an IPv6 one. */
export const LOGIN_LIMITS = {
  discoveryByAddress: { name: 'discovery-address', count: 30, windowMs: MINUTE_MS },
  /** All people of a company share it, and strangers can use it up: that must need many addresses. */
  discoveryByEmailDomain: { name: 'discovery-domain', count: 600, windowMs: MINUTE_MS },
  startByAddress: { name: 'start-address', count: 30, windowMs: MINUTE_MS },
  startByEmailDomain: { name: 'start-domain', count: 600, windowMs: MINUTE_MS },
  /** A refused callback costs a person the whole way, so there is room for what was started, and for reloads. */
  callbackByAddress: { name: 'callback-address', count: 60, windowMs: MINUTE_MS },
} as const satisfies Readonly<Record<string, RateLimit>>;

export interface LoginOrigin {
  /** The browser's network address. */
  readonly address: string;
  /** What the person typed; may be empty or no email at all. */
  readonly email: string;
}

type Limiting = Pick<Environment, 'rateLimiter'>;

/** Part of `discoverLogins`. Fails with `resource_exhausted` and `retryAfterMs`. */
export async function limitDiscovery(env: Limiting, origin: LoginOrigin): Promise<void> {
  await consume(env, LOGIN_LIMITS.discoveryByAddress, describeNetwork(origin.address));
  await consumeDomain(env, LOGIN_LIMITS.discoveryByEmailDomain, origin.email);
}

/** Part of `startLogin`. Fails as `limitDiscovery` does. */
export async function limitLoginStart(env: Limiting, origin: LoginOrigin): Promise<void> {
  await consume(env, LOGIN_LIMITS.startByAddress, describeNetwork(origin.address));
  await consumeDomain(env, LOGIN_LIMITS.startByEmailDomain, origin.email);
}

/** Part of `completeLogin`. Fails as `limitDiscovery` does. */
export async function limitCallback(env: Limiting, address: string): Promise<void> {
  await consume(env, LOGIN_LIMITS.callbackByAddress, describeNetwork(address));
}

/**
 * Whom an address stands for: itself when IPv4, also when written as IPv6 (RFC 4291 §2.5.5.2); the /64 of an IPv6
 * address, because a single host is given all of it (RFC 6177 §2).
 */
export function describeNetwork(address: string): string {
  const [, ipv4] = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address) ?? [];
  if (ipv4 !== undefined) return ipv4;
  if (!address.includes(':')) return address;
  const [bare = ''] = address.toLowerCase().split('%', 1);
  const [head = '', tail] = bare.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  // An IPv4 address at the end stands for two groups.
  const given = first.length + last.length + (bare.includes('.') ? 1 : 0);
  const groups = [...first, ...Array.from({ length: Math.max(0, 8 - given) }, () => '0'), ...last];
  const network = groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''));
  return `${network.join(':')}::/64`;
}

async function consumeDomain(env: Limiting, limit: RateLimit, email: string): Promise<void> {
  const domain = readEmailDomain(email);
  if (domain !== undefined) await consume(env, limit, domain);
}

async function consume({ rateLimiter }: Limiting, limit: RateLimit, key: string): Promise<void> {
  const verdict = await rateLimiter.consume(limit, key);
  if (verdict.allowed) return;
  const { retryAfterMs } = verdict;
  throw new DomainError('resource_exhausted', 'Too many logins at once. Wait, then try again.', {
    reason: 'RATE_LIMITED',
    retryAfterMs,
  });
}
