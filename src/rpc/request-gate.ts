/**
 * Owns what happens before a request's body is read: the call gets an id, and credentials are checked (RFC 6750 §2.1).
 * What a caller may do is decided in `domain/access.ts`.
 */
import { randomUUID } from 'node:crypto';
import type { HandlerContext } from '@connectrpc/connect';

import { createUnauthenticatedError, needsCredentials } from '../domain/access.ts';
import type { Principal } from '../domain/access.ts';
import type { Environment } from '../domain/ports.ts';
import { authenticateToken } from '../domain/token.ts';
import type { TokenUses } from '../domain/token-use.ts';
import { recordFailure } from './call-record.ts';
import type { ObserveCall } from './call-record.ts';
import { principalKey, requestIdKey } from './caller.ts';

/** A caller's own request id is taken when it looks like one, so that a trace can go on through us. */
const REQUEST_ID = /^[\w.-]{8,64}$/;
const BEARER = /^Bearer +([\x21-\x7e]+) *$/i;

export type RequestGate = (context: HandlerContext) => Promise<void>;

export function createRequestGate(
  env: Pick<Environment, 'store' | 'now'>,
  tokenUses: TokenUses,
  observe: ObserveCall,
): RequestGate {
  return async (context) => {
    const startedAt = performance.now();
    const given = context.requestHeader.get('x-request-id');
    const requestId = given !== null && REQUEST_ID.test(given) ? given : randomUUID();
    context.values.set(requestIdKey, requestId);
    context.responseHeader.set('x-request-id', requestId);
    if (!needsCredentials(context.service.typeName)) return;
    try {
      context.values.set(principalKey, await authenticate(context.requestHeader));
    } catch (reason) {
      throw recordFailure(
        observe,
        { requestId, userId: undefined, method: context.method, startedAt },
        reason,
      );
    }
  };

  async function authenticate(header: Headers): Promise<Principal> {
    const [, token] = BEARER.exec(header.get('authorization') ?? '') ?? [];
    if (token === undefined) throw createUnauthenticatedError();
    const { principal, tokenId } = await authenticateToken(env, token);
    tokenUses.note(tokenId);
    return principal;
  }
}
