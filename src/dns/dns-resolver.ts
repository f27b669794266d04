/** Owns DNS look-ups. What is looked up, and what the answer means, is the domain's. */
import { Resolver } from 'node:dns/promises';

import { DomainError } from '../domain/errors.ts';
import type { DnsResolver } from '../domain/ports.ts';

/** Answers that say "there is no such record" (RFC 1035 §4.1.1, RFC 2308), as Node names them. */
const NO_RECORD = new Set(['ENODATA', 'ENOTFOUND']);

export interface DnsResolverOptions {
  /** `address` or `address:port`; the system's when absent. */
  readonly servers?: readonly string[] | undefined;
  /** For all servers and attempts together, in milliseconds. */
  readonly totalMs?: number;
}

/** For one attempt at one server, in milliseconds; the next one waits longer, and each server has two. */
const ATTEMPT_MS = 2000;

export function createDnsResolver({
  servers,
  totalMs = 5000,
}: DnsResolverOptions = {}): DnsResolver {
  return {
    async resolveTxt(name) {
      const resolver = new Resolver({ timeout: ATTEMPT_MS, tries: 2 });
      if (servers !== undefined) resolver.setServers(servers);
      const timer = setTimeout(() => resolver.cancel(), totalMs);
      try {
        const records = await resolver.resolveTxt(name);
        return records.map((strings) => strings.join(''));
      } catch (error) {
        if (NO_RECORD.has(readCode(error))) return [];
        throw new DomainError(
          'unavailable',
          `No DNS server answered for ${name}. Try again in a moment.`,
          { reason: 'DNS_UNREACHABLE', retryAfterMs: 5000, cause: error },
        );
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

function readCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
