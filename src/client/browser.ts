/**
 * The client's entry point for browsers, and for all that has `fetch` alone. It imports nothing of Node's. It exports
 * what `node.ts` exports; a test compares the two.
 */
import { Code, ConnectError } from '@connectrpc/connect';
import type { Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-web';

import { createClientOver } from './claimgate-client.ts';
import type { ClaimgateClient } from './claimgate-client.ts';
import { createAuthorizer, resolveBaseUrl, resolveTimeoutMs } from './client-options.ts';
import type { CommonClientOptions } from './client-options.ts';

export { clear, leave, set } from './change.ts';
export type { Change, Clear, ClearableChange, Leave, SetTo } from './change.ts';
export { createClientOver } from './claimgate-client.ts';
export type { ClaimgateClient } from './claimgate-client.ts';
export { ClaimgateError } from './claimgate-error.ts';
export type { ClaimgateErrorCode, ClaimgateErrorOptions } from './claimgate-error.ts';
export type { CommonClientOptions, TokenSource } from './client-options.ts';
export type { FieldViolation } from './error-details.ts';
export { listAll } from './list-all.ts';
export type { ListAllOptions, RowOf } from './list-all.ts';
export { buildUpdateOrganizationRequest, updateOrganization } from './update-organization.ts';
export type { OrganizationChange } from './update-organization.ts';
export {
  buildUpdateSsoConfigurationRequest,
  updateSsoConfiguration,
} from './update-sso-configuration.ts';
export type { SsoConfigurationChange } from './update-sso-configuration.ts';

/** How to reach a Claimgate server from a browser. */
export interface ClaimgateClientOptions extends CommonClientOptions {
  /**
   * Where Claimgate listens, such as `https://sso.example.com`. A path alone, such as `/` or `/api`, means the page's own
   * origin. For another origin the server must name the page's in its allowed origins.
   */
  readonly baseUrl: string;
  /** What the calls are spoken in: `connect` (the default) or `grpc-web`. Browsers cannot speak gRPC itself. */
  readonly protocol?: 'connect' | 'grpc-web' | undefined;
  /**
   * Sends the requests, instead of the global `fetch`: for example to add `credentials: 'include'`. It throws a
   * `TypeError` where the server cannot be reached, as `fetch` does; calls then fail with `unavailable`.
   */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/**
 * Makes a client for all services of a Claimgate server. Nothing is sent before the first call.
 *
 * ```ts
 * const client = createClaimgateClient({ baseUrl: '/', token });
 * const { organizationId } = await client.identity.getAuthenticatedIdentity({});
 * ```
 *
 * Throws `TypeError` for options that cannot be meant. Every call throws `ClaimgateError`.
 */
export function createClaimgateClient(options: ClaimgateClientOptions): ClaimgateClient {
  return createClientOver(createClaimgateTransport(options));
}

/** The bare transport of a client, for those who make their own; its calls throw `ConnectError`. */
export function createClaimgateTransport(options: ClaimgateClientOptions): Transport {
  const { protocol = 'connect', fetch } = options;
  const defaultTimeoutMs = resolveTimeoutMs(options.timeoutMs);
  const shared = {
    baseUrl: resolveOriginOrPath(options.baseUrl),
    interceptors: [...createAuthorizer(options.token)],
    fetch: reportUnreachable((...request) => (fetch ?? globalThis.fetch)(...request)),
    ...(defaultTimeoutMs === undefined ? {} : { defaultTimeoutMs }),
  };
  switch (protocol) {
    case 'connect':
      return createConnectTransport(shared);
    case 'grpc-web':
      return createGrpcWebTransport(shared);
    default:
      throw new TypeError(`protocol must be connect or grpc-web, not ${String(protocol)}.`);
  }
}

function resolveOriginOrPath(baseUrl: string): string {
  const isPath = /^\/(?:[^/\\?#][^\\?#]*)?$/.test(baseUrl);
  return isPath ? baseUrl.replace(/\/+$/, '') : resolveBaseUrl(baseUrl);
}

/** `fetch` tells of everything between "no network" and "not allowed by CORS" by a `TypeError` (Fetch Standard §5.6). */
function reportUnreachable(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return async (...request) => {
    try {
      return await fetch(...request);
    } catch (reason) {
      if (!(reason instanceof TypeError)) throw reason;
      const message =
        'The server cannot be reached, or does not allow the origin of this page to call it.';
      throw new ConnectError(message, Code.Unavailable, undefined, undefined, reason);
    }
  };
}
