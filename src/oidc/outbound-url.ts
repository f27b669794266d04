/** Owns which URLs we call, as far as that can be seen in the URL. What its name resolves to is `guarded-lookup.ts`. */
import { judgeAddress, readAddressLiteral } from './address-rules.ts';
import type { AddressRules } from './address-rules.ts';
import { GuardedFetchError } from './guarded-fetch-error.ts';

export interface OutboundRules extends AddressRules {
  /** Accept `http:` besides `https:`. */
  readonly allowHttp: boolean;
}

/** The URL, parsed. Fails with `url_refused` or `address_refused`. */
export function checkOutboundUrl(text: string, rules: OutboundRules): URL {
  const url = URL.parse(text);
  if (url === null) throw new GuardedFetchError('url_refused', 'The URL cannot be parsed.');
  if (url.protocol !== 'https:' && !(rules.allowHttp && url.protocol === 'http:')) {
    throw new GuardedFetchError('url_refused', `The URL must use https, not "${url.protocol}".`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new GuardedFetchError('url_refused', 'The URL must not hold a user name or password.');
  }
  // Connecting to a literal asks no resolver, so nothing after this would look at it.
  const literal = readAddressLiteral(url.hostname);
  if (literal !== undefined) {
    const refusal = judgeAddress(literal, rules);
    if (refusal !== undefined) throw createAddressRefusal(url.hostname, refusal);
  }
  return url;
}

/** Says what kind of address it is and not which: a name's addresses are not the admin's to probe. */
export function createAddressRefusal(hostname: string, refusal: string): GuardedFetchError {
  return new GuardedFetchError(
    'address_refused',
    `"${hostname}" is or resolves to an address that is not allowed (${refusal}).`,
  );
}
