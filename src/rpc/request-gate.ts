/**
 * Owns what happens before a request's body is read: credentials are checked (RFC 6750 §2.1).
 * What a caller may do is decided in `domain/access.ts`.
 */
import type { ConnectError, HandlerContext } from '@connectrpc/connect';

import { createUnauthenticatedError, isTrustedOrigin, needsCredentials } from '../domain/access.ts';
import type { Principal } from '../domain/access.ts';
import { whenReady } from '../domain/awaitable.ts';
import type { Awaitable } from '../domain/awaitable.ts';
import type { Environment } from '../domain/ports.ts';
import { readSessionToken } from '../domain/browser-cookies.ts';
import { authenticateSession } from '../domain/session.ts';
import { authenticateToken } from '../domain/token.ts';
import type { Uses } from '../domain/use-recorder.ts';
import { principalKey } from './caller.ts';
import { noteRefusedCredentials } from './note-refusal.ts';
import { refuseCall } from './refuse-call.ts';

const BEARER = /^Bearer +([\x21-\x7e]+) *$/i;

/** Lets a call through, at once where its credentials are remembered, or throws. */
export type RequestGate = (context: HandlerContext) => void | Promise<void>;

export interface RequestGateOptions {
  readonly env: Environment;
  /** Told of each use of a token. */
  readonly tokenUses: Uses;
  /** Told of each use of a session. */
  readonly sessionUses: Uses;
  /** Origins whose pages may call with the session cookie, besides our own. */
  readonly allowedOrigins: readonly string[];
}

export function createRequestGate(options: RequestGateOptions): RequestGate {
  const { env, tokenUses, sessionUses, allowedOrigins } = options;
  return (context) => {
    if (!needsCredentials(context.service.typeName)) return undefined;
    try {
      const caller = authenticate(context.requestHeader);
      if (caller instanceof Promise) return admitLater(context, caller);
      context.values.set(principalKey, caller);
      return undefined;
    } catch (reason) {
      throw refuse(context, reason);
    }
  };

  async function admitLater(context: HandlerContext, caller: Promise<Principal>): Promise<void> {
    try {
      context.values.set(principalKey, await caller);
    } catch (reason) {
      throw refuse(context, reason);
    }
  }

  function refuse({ method, values }: HandlerContext, reason: unknown): ConnectError {
    noteRefusedCredentials(env, method, reason);
    return refuseCall(values, reason);
  }

  function authenticate(header: Headers): Awaitable<Principal> {
    const authorization = header.get('authorization');
    if (authorization === null) return authenticateBrowser(header);
    const [, token] = BEARER.exec(authorization) ?? [];
    if (token === undefined) throw createUnauthenticatedError();
    return whenReady(authenticateToken(env, token), ({ principal, tokenId }) => {
      tokenUses.note(tokenId);
      return principal;
    });
  }

  /** A cookie comes with whatever any page asks for, so it counts from the pages of trusted origins alone. */
  async function authenticateBrowser(header: Headers): Promise<Principal> {
    const token = readSessionToken(header.get('cookie') ?? undefined, env.publicUrl);
    const origin = {
      origin: header.get('origin') ?? undefined,
      fetchSite: header.get('sec-fetch-site') ?? undefined,
    };
    const { publicUrl } = env;
    if (token === undefined || !isTrustedOrigin(origin, { publicUrl, allowedOrigins }))
      throw createUnauthenticatedError();
    const { principal, session } = await authenticateSession(env, token);
    // What a token may, such as operating, is for the console alone, and for no other page that a person visits.
    const isOwn = isTrustedOrigin(origin, { publicUrl, allowedOrigins: [] });
    if (session.tokenId !== undefined && !isOwn) throw createUnauthenticatedError();
    sessionUses.note(session.id);
    return principal;
  }
}
