/**
 * Owns what is remembered of issuers: their metadata and their key sets, for as many issuers as fit. The one least
 * recently asked about goes first.
 */
import type { Clock } from '../domain/ports.ts';
import type { GuardedFetch } from './guarded-fetch.ts';
import { fetchKeySet } from './key-set.ts';
import type { KeySet } from './key-set.ts';
import { discoverProvider } from './provider-metadata.ts';
import type { ProviderMetadata } from './provider-metadata.ts';
import { createRememberedValue } from './remembered-value.ts';
import type { RememberedValue } from './remembered-value.ts';

export interface Issuer {
  readonly metadata: RememberedValue<ProviderMetadata>;
  /** Remembered by issuer and not by `jwks_uri`, so that no issuer uses up another one's refresh. */
  readonly keySet: RememberedValue<KeySet>;
}

export interface IssuerDirectory {
  find(issuerUrl: string): Issuer;
}

export interface IssuerDirectoryOptions {
  readonly guarded: GuardedFetch;
  readonly now: Clock;
  readonly lifetimeMs?: number;
  readonly cooldownMs?: number;
  readonly maxIssuers?: number;
}

/** In milliseconds. */
const LIFETIME = 10 * 60 * 1000;
/** In milliseconds. */
const COOLDOWN = 30 * 1000;
/** An entry is 5 kB where an identity provider is sane, and 200 kB at the worst. */
const MAX_ISSUERS = 500;

export function createIssuerDirectory(options: IssuerDirectoryOptions): IssuerDirectory {
  const { guarded, now, maxIssuers = MAX_ISSUERS } = options;
  const times = {
    now,
    lifetimeMs: options.lifetimeMs ?? LIFETIME,
    cooldownMs: options.cooldownMs ?? COOLDOWN,
  };
  // A Map iterates in the order of insertion: the first is the one least recently used.
  const issuers = new Map<string, Issuer>();

  const createIssuer = (issuerUrl: string): Issuer => {
    const metadata = createRememberedValue({
      ...times,
      load: () => discoverProvider(guarded, issuerUrl),
    });
    const keySet = createRememberedValue({
      ...times,
      load: async () => fetchKeySet(guarded, (await metadata.get()).jwksUri),
    });
    return { metadata, keySet };
  };

  return {
    find(issuerUrl) {
      const issuer = issuers.get(issuerUrl) ?? createIssuer(issuerUrl);
      issuers.delete(issuerUrl);
      issuers.set(issuerUrl, issuer);
      const [oldest] = issuers.keys();
      if (issuers.size > maxIssuers && oldest !== undefined) issuers.delete(oldest);
      return issuer;
    },
  };
}
