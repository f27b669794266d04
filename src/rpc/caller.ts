/** Owns what is known of a call before its body is read, such as its id and its caller, as context values. */
import { createContextKey } from '@connectrpc/connect';
import type { HandlerContext } from '@connectrpc/connect';

import { createUnauthenticatedError } from '../domain/access.ts';
import type { Principal } from '../domain/access.ts';

/** Named in every response as `x-request-id`, and in the log. */
export const requestIdKey = createContextKey('', { description: 'request id' });

/** Tells the caller's network address, as far as the proxies that we trust tell it. Few calls ask. */
export const addressKey = createContextKey(() => '', { description: 'client address' });

/** Tells the query of the call's URL, without making the URL: that takes 3 µs. Empty, or from the question mark on. */
export const searchKey = createContextKey(() => '', { description: 'query of the URL' });

/** Tells the id of the call's trace, if it has one. */
export const traceIdKey = createContextKey((): string | undefined => undefined, {
  description: 'trace id',
});

/** Why the call failed, where that is for the log alone. */
export const causeKey = createContextKey<{ readonly reason: unknown } | undefined>(undefined, {
  description: 'cause of a failure of ours',
});

export const principalKey = createContextKey<Principal | undefined>(undefined, {
  description: 'principal',
});

/** The caller that the gate let through. */
export function readCaller(context: Pick<HandlerContext, 'values'>): Principal {
  const principal = context.values.get(principalKey);
  if (principal === undefined) throw createUnauthenticatedError();
  return principal;
}
