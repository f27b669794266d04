/**
 * Owns a small Claimgate of its own for tests of the client: SSO configurations in an array, behind a real HTTP server.
 * Each answer is what the client must cope with; what the server truly does is tested with the server.
 */
import * as http from 'node:http';
import * as http2 from 'node:http2';

import { create } from '@bufbuild/protobuf';
import { createValidateInterceptor } from '@connectrpc/validate';
import { Code, ConnectError } from '@connectrpc/connect';
import type { ConnectRouter } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';

import { IdentityService } from '../../gen/gitpod/v1/identity_pb.ts';
import {
  OrganizationService,
  SSOConfigurationSchema,
  SSOConfigurationState,
} from '../../gen/gitpod/v1/organization_pb.ts';
import type {
  SSOConfiguration,
  UpdateSSOConfigurationRequest,
} from '../../gen/gitpod/v1/organization_pb.ts';

export const TOKEN = 'in-memory-token-of-the-tests';
export const ORGANIZATION_ID = '0198f2a4-0000-7000-8000-000000000001';
/** Reading this one asks the caller to come back later. */
export const BUSY_ID = '0198f2a4-0000-7000-8000-00000000beef';
/** Reading this one never ends. */
export const SILENT_ID = '0198f2a4-0000-7000-8000-0000000051e0';

export interface InMemoryServer {
  readonly url: string;
  /** What has been asked, in order: method and page token. */
  readonly calls: { readonly method: string; readonly token: string; readonly pageSize: number }[];
  readonly updates: UpdateSSOConfigurationRequest[];
  stop(): Promise<void>;
}

export function createConfigurations(count: number): SSOConfiguration[] {
  return Array.from({ length: count }, (_, index) =>
    create(SSOConfigurationSchema, {
      id: `0198f2a4-0000-7000-8000-${String(index).padStart(12, '0')}`,
      organizationId: ORGANIZATION_ID,
      clientId: `client-${index}`,
      issuerUrl: 'https://idp.example.com',
      state: SSOConfigurationState.SSO_CONFIGURATION_STATE_ACTIVE,
    }),
  );
}

export async function startInMemoryServer(options: {
  readonly httpVersion?: '1.1' | '2';
  readonly configurations?: readonly SSOConfiguration[];
  /** Path before every RPC, such as `/api`. */
  readonly prefix?: string;
}): Promise<InMemoryServer> {
  const { httpVersion = '1.1', configurations = [], prefix = '' } = options;
  const calls: InMemoryServer['calls'] = [];
  const updates: UpdateSSOConfigurationRequest[] = [];
  const held = new AbortController();

  const routes = (router: ConnectRouter): void => {
    router.service(IdentityService, {
      getAuthenticatedIdentity: () => ({ organizationId: ORGANIZATION_ID }),
    });
    router.service(OrganizationService, {
      getSSOConfiguration: async ({ ssoConfigurationId }) => {
        if (ssoConfigurationId === BUSY_ID) {
          const wait = { 'retry-after': '2', 'retry-after-ms': '1500' };
          throw new ConnectError('Too many requests.', Code.ResourceExhausted, wait);
        }
        if (ssoConfigurationId === SILENT_ID) {
          await new Promise((resolve) => held.signal.addEventListener('abort', resolve));
        }
        const ssoConfiguration = configurations.find(({ id }) => id === ssoConfigurationId);
        if (ssoConfiguration === undefined) throw new ConnectError('No such one.', Code.NotFound);
        return { ssoConfiguration };
      },
      listSSOConfigurations: ({ pagination }) => {
        const { token = '', pageSize = 0 } = pagination ?? {};
        calls.push({ method: 'listSSOConfigurations', token, pageSize });
        const start = Number(token);
        const end = start + pageSize;
        return {
          ssoConfigurations: configurations.slice(start, end),
          pagination: { nextToken: end < configurations.length ? String(end) : '' },
        };
      },
      updateSSOConfiguration: (request) => {
        updates.push(request);
        return {};
      },
    });
  };

  const handler = connectNodeAdapter({
    routes,
    ...(prefix === '' ? {} : { requestPathPrefix: prefix }),
    interceptors: [
      (next) => async (request) => {
        if (request.header.get('authorization') === `Bearer ${TOKEN}`) return next(request);
        throw new ConnectError('Missing or invalid credentials.', Code.Unauthenticated);
      },
      createValidateInterceptor(),
    ],
  });
  const listen: typeof handler = (request, response) => {
    response.setHeader('x-request-id', 'request-1');
    handler(request, response);
  };
  const server = httpVersion === '2' ? http2.createServer(listen) : http.createServer(listen);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    updates,
    stop: async () => {
      held.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      if (server instanceof http.Server) server.closeAllConnections();
      await closed;
    },
  };
}
