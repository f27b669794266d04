// Owns typed clients for tests, over each protocol, without the headers and the errors of our own client.
import { createClient } from '@connectrpc/connect';
import type { Client, Interceptor, Transport } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';

import { IdentityService } from '../../gen/gitpod/v1/identity_pb.ts';
import { OrganizationService } from '../../gen/gitpod/v1/organization_pb.ts';
import { UserService } from '../../gen/gitpod/v1/user_pb.ts';

export interface Api {
  readonly organizations: Client<typeof OrganizationService>;
  readonly identity: Client<typeof IdentityService>;
  readonly users: Client<typeof UserService>;
}

export type Protocol = 'connect' | 'grpc' | 'grpc-web';

export const PROTOCOLS: readonly Protocol[] = ['connect', 'grpc', 'grpc-web'];

/** @param authorization the whole header; absent sends none. */
export function createApi(
  baseUrl: string,
  authorization: string | undefined,
  protocol: Protocol = 'connect',
): Api {
  const transport = openTransport(baseUrl, authorization, protocol);
  return {
    organizations: createClient(OrganizationService, transport),
    identity: createClient(IdentityService, transport),
    users: createClient(UserService, transport),
  };
}

export function openTransport(
  baseUrl: string,
  authorization: string | undefined,
  protocol: Protocol,
): Transport {
  const authorize: Interceptor = (next) => (request) => {
    if (authorization !== undefined) request.header.set('authorization', authorization);
    return next(request);
  };
  return createTransport(protocol, baseUrl, [authorize]);
}

function createTransport(protocol: Protocol, baseUrl: string, interceptors: Interceptor[]) {
  switch (protocol) {
    case 'connect':
      return createConnectTransport({ baseUrl, interceptors, httpVersion: '1.1' });
    case 'grpc':
      return createGrpcTransport({ baseUrl, interceptors });
    case 'grpc-web':
      return createGrpcWebTransport({ baseUrl, interceptors, httpVersion: '1.1' });
  }
}
