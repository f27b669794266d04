/**
 * The client's entry point for Node. It owns which transport carries a protocol there, and names all that the package
 * exports as `claimgate/client`; `browser.ts` is its counterpart.
 */
import type { SecureContextOptions } from 'node:tls';

import type { Transport } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from '@connectrpc/connect-node';

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

/** How to reach a Claimgate server from Node. */
export interface ClaimgateClientOptions extends CommonClientOptions {
  /**
   * What the calls are spoken in: `connect` (the default) and `grpc-web` over HTTP/1.1, `grpc` over HTTP/2, with TLS or
   * without as `baseUrl` says. All behave alike.
   */
  readonly protocol?: 'connect' | 'grpc' | 'grpc-web' | undefined;
  /** For `https`: a certificate authority of one's own (`ca`), or a client certificate (`cert`, `key`). */
  readonly tls?: Pick<SecureContextOptions, 'ca' | 'cert' | 'key'> | undefined;
}

/** A client that may hold a connection open. */
export interface ClosableClaimgateClient extends ClaimgateClient, Disposable {
  /**
   * Ends the HTTP/2 connection of a `grpc` client, and with it the calls in flight. A process may end without it: idle
   * connections keep none alive.
   */
  close(): void;
}

/** Largest response that is accepted, in bytes. A page of 100 rows of the greatest size has less. */
const READ_MAX_BYTES = 16 * 1024 * 1024;

/**
 * Makes a client for all services of a Claimgate server. Nothing is sent before the first call.
 *
 * ```ts
 * const client = createClaimgateClient({ baseUrl: 'https://sso.example.com', token });
 * const { organizationId } = await client.identity.getAuthenticatedIdentity({});
 * ```
 *
 * Throws `TypeError` for options that cannot be meant. Every call throws `ClaimgateError`.
 */
export function createClaimgateClient(options: ClaimgateClientOptions): ClosableClaimgateClient {
  const { transport, close } = createTransport(options);
  return { ...createClientOver(transport), close, [Symbol.dispose]: close };
}

/** The bare transport of a client, for those who make their own; its calls throw `ConnectError`. */
export function createClaimgateTransport(options: ClaimgateClientOptions): Transport {
  return createTransport(options).transport;
}

/** HTTP/1.1 connections are the process's own agent's. */
const closeNothing = (): void => {};

function createTransport(options: ClaimgateClientOptions): {
  readonly transport: Transport;
  readonly close: () => void;
} {
  const { protocol = 'connect', tls = {} } = options;
  const baseUrl = resolveBaseUrl(options.baseUrl);
  const defaultTimeoutMs = resolveTimeoutMs(options.timeoutMs);
  const shared = {
    baseUrl,
    interceptors: [...createAuthorizer(options.token)],
    readMaxBytes: READ_MAX_BYTES,
    ...(defaultTimeoutMs === undefined ? {} : { defaultTimeoutMs }),
  };
  const http1 = { ...shared, httpVersion: '1.1', nodeOptions: tls } as const;
  switch (protocol) {
    case 'connect':
      return { transport: createConnectTransport(http1), close: closeNothing };
    case 'grpc-web':
      return { transport: createGrpcWebTransport(http1), close: closeNothing };
    case 'grpc': {
      const sessionManager = new Http2SessionManager(baseUrl, {}, tls);
      const transport = createGrpcTransport({ ...shared, sessionManager });
      return { transport, close: () => sessionManager.abort() };
    }
    default:
      throw new TypeError(`protocol must be connect, grpc or grpc-web, not ${String(protocol)}.`);
  }
}
