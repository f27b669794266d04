import { inspect } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import * as browser from '../../src/client/browser.ts';
import { ClaimgateError } from '../../src/client/claimgate-error.ts';
import type { ClaimgateClient } from '../../src/client/claimgate-client.ts';
import * as node from '../../src/client/node.ts';
import {
  BUSY_ID,
  createConfigurations,
  ORGANIZATION_ID,
  SILENT_ID,
  startInMemoryServer,
  TOKEN,
} from './in-memory-services.ts';
import type { InMemoryServer } from './in-memory-services.ts';

const [configuration] = createConfigurations(1);
const configurations = createConfigurations(1);
const UNKNOWN_ID = '0198f2a4-0000-7000-8000-00000000dead';

let http1: InMemoryServer;
let http2: InMemoryServer;

beforeAll(async () => {
  http1 = await startInMemoryServer({ configurations });
  http2 = await startInMemoryServer({ configurations, httpVersion: '2' });
});

afterAll(async () => {
  await http1.stop();
  await http2.stop();
});

interface Options {
  readonly token?: node.TokenSource | undefined;
  readonly timeoutMs?: number;
}

/** Every way to make a client, as one that is closed at the end of its block. */
const KINDS: readonly {
  readonly kind: string;
  readonly make: (options: Options) => ClaimgateClient & Partial<Disposable>;
}[] = [
  {
    kind: 'Node over Connect',
    make: (options) => node.createClaimgateClient({ baseUrl: http1.url, token: TOKEN, ...options }),
  },
  {
    kind: 'Node over gRPC-Web',
    make: (options) =>
      node.createClaimgateClient({
        baseUrl: http1.url,
        token: TOKEN,
        protocol: 'grpc-web',
        ...options,
      }),
  },
  {
    kind: 'Node over gRPC',
    make: (options) =>
      node.createClaimgateClient({
        baseUrl: http2.url,
        token: TOKEN,
        protocol: 'grpc',
        ...options,
      }),
  },
  {
    kind: 'a browser over Connect',
    make: (options) =>
      browser.createClaimgateClient({ baseUrl: http1.url, token: TOKEN, ...options }),
  },
  {
    kind: 'a browser over gRPC-Web',
    make: (options) =>
      browser.createClaimgateClient({
        baseUrl: http1.url,
        token: TOKEN,
        protocol: 'grpc-web',
        ...options,
      }),
  },
];

async function withClient<Result>(
  client: ClaimgateClient & Partial<Disposable>,
  use: (client: ClaimgateClient) => Promise<Result>,
): Promise<Result> {
  try {
    return await use(client);
  } finally {
    client[Symbol.dispose]?.();
  }
}

/** The error of a call, which must be the client's own. */
async function catchError(call: Promise<unknown>): Promise<ClaimgateError> {
  const reason = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(reason instanceof ClaimgateError)) throw new Error('no ClaimgateError', { cause: reason });
  return reason;
}

describe.each(KINDS)('A client for $kind', ({ make }) => {
  test('calls every service with one token', async () => {
    await withClient(make({}), async (client) => {
      const identity = await client.identity.getAuthenticatedIdentity({});
      expect(identity.organizationId).toBe(ORGANIZATION_ID);
      const ssoConfigurationId = configuration?.id ?? '';
      const found = await client.organizations.getSSOConfiguration({ ssoConfigurationId });
      expect(found.ssoConfiguration?.clientId).toBe('client-0');
    });
  });

  test('asks a token function before each call', async () => {
    const tokens = ['not-this-one', TOKEN];
    const token = async (): Promise<string> => tokens.shift() ?? '';
    await withClient(make({ token }), async (client) => {
      const error = await catchError(client.identity.getAuthenticatedIdentity({}));
      expect(error.code).toBe('unauthenticated');
      await client.identity.getAuthenticatedIdentity({});
      expect(tokens).toEqual([]);
    });
  });

  test('passes on what a token function throws, as the cause', async () => {
    const failure = new Error('the vault is locked');
    const token = (): never => {
      throw failure;
    };
    await withClient(make({ token }), async (client) => {
      const error = await catchError(client.identity.getAuthenticatedIdentity({}));
      expect(error.message).toContain('the vault is locked');
      expect(inspect(error.cause)).toContain('the vault is locked');
    });
  });

  test('calls without credentials when it has no token', async () => {
    await withClient(make({ token: undefined }), async (client) => {
      const error = await catchError(client.identity.getAuthenticatedIdentity({}));
      expect(error).toMatchObject({ code: 'unauthenticated', requestId: 'request-1' });
    });
  });

  test.each(['two words', 'with a line break\n', 'ключ'])(
    'refuses the token %j without repeating it',
    async (token) => {
      await withClient(make({ token }), async (client) => {
        const error = await catchError(client.identity.getAuthenticatedIdentity({}));
        expect(error.code).toBe('unauthenticated');
        expect(inspect(error)).not.toContain(token);
      });
    },
  );

  test('names the fields that break a rule', async () => {
    await withClient(make({}), async (client) => {
      const emailDomains = ['example.com', 'no domain'];
      const call = client.organizations.updateSSOConfiguration({
        ssoConfigurationId: UNKNOWN_ID,
        clientId: '',
        emailDomains,
      });
      const error = await catchError(call);
      expect(error.code).toBe('invalid_argument');
      expect(error.violations).toContainEqual(
        expect.objectContaining({ field: 'email_domains[1]', rule: 'string.pattern' }),
      );
      expect(error.violations).toContainEqual(
        expect.objectContaining({ field: 'client_id', rule: 'string.min_len' }),
      );
      expect(error.violations.every(({ message }) => message !== '')).toBe(true);
    });
  });

  test('says how long to wait, and which request it was', async () => {
    await withClient(make({}), async (client) => {
      const ssoConfigurationId = BUSY_ID;
      const error = await catchError(
        client.organizations.getSSOConfiguration({ ssoConfigurationId }),
      );
      expect(error).toMatchObject({
        name: 'ClaimgateError',
        code: 'resource_exhausted',
        message: 'Too many requests.',
        violations: [],
        retryAfterMs: 1500,
        requestId: 'request-1',
      });
      expect(error.cause).toBeInstanceOf(Error);
    });
  });

  test('tells a missing thing from a failure', async () => {
    await withClient(make({}), async (client) => {
      const ssoConfigurationId = UNKNOWN_ID;
      const error = await catchError(
        client.organizations.getSSOConfiguration({ ssoConfigurationId }),
      );
      expect(error).toMatchObject({ code: 'not_found', retryAfterMs: undefined });
    });
  });

  test('reports an RPC that the server does not know', async () => {
    await withClient(make({}), async (client) => {
      const error = await catchError(client.users.getAuthenticatedUser({}));
      expect(error.code).toBe('unimplemented');
    });
  });

  test('gives up at its deadline', async () => {
    await withClient(make({ timeoutMs: 50 }), async (client) => {
      const ssoConfigurationId = SILENT_ID;
      const error = await catchError(
        client.organizations.getSSOConfiguration({ ssoConfigurationId }),
      );
      expect(error.code).toBe('deadline_exceeded');
    });
  });

  test('gives up when its caller does', async () => {
    await withClient(make({}), async (client) => {
      const signal = AbortSignal.abort();
      const error = await catchError(client.identity.getAuthenticatedIdentity({}, { signal }));
      expect(error.code).toBe('canceled');
    });
  });
});

test('A base URL that ends in a path keeps it, with and without a slash', async () => {
  const server = await startInMemoryServer({ prefix: '/api' });
  try {
    for (const baseUrl of [`${server.url}/api`, `${server.url}/api/`]) {
      for (const { createClaimgateClient } of [node, browser]) {
        const client = createClaimgateClient({ baseUrl, token: TOKEN });
        const { organizationId } = await client.identity.getAuthenticatedIdentity({});
        expect(organizationId).toBe(ORGANIZATION_ID);
      }
    }
  } finally {
    await server.stop();
  }
});

test('A server that is not there is unavailable', async () => {
  const server = await startInMemoryServer({});
  await server.stop();
  const baseUrl = server.url;
  for (const client of [
    node.createClaimgateClient({ baseUrl, token: TOKEN }),
    node.createClaimgateClient({ baseUrl, token: TOKEN, protocol: 'grpc' }),
    node.createClaimgateClient({ baseUrl, token: TOKEN, protocol: 'grpc-web' }),
    browser.createClaimgateClient({ baseUrl, token: TOKEN }),
    browser.createClaimgateClient({ baseUrl, token: TOKEN, protocol: 'grpc-web' }),
  ]) {
    const error = await catchError(client.identity.getAuthenticatedIdentity({}));
    expect(error).toMatchObject({ code: 'unavailable', requestId: undefined });
  }
});

test('A browser calls its own origin by a path, with the fetch that it is given', async () => {
  const seen: string[] = [];
  for (const baseUrl of ['/', '/api', '/api/']) {
    const client = browser.createClaimgateClient({
      baseUrl,
      token: TOKEN,
      fetch: async (input) => {
        seen.push(
          new Request(
            new URL(input instanceof Request ? input.url : input, 'http://origin.example'),
          ).url,
        );
        return Response.json({ organizationId: ORGANIZATION_ID });
      },
    });
    const { organizationId } = await client.identity.getAuthenticatedIdentity({});
    expect(organizationId).toBe(ORGANIZATION_ID);
  }
  const method = 'gitpod.v1.IdentityService/GetAuthenticatedIdentity';
  expect(seen).toEqual(
    ['', 'api/', 'api/'].map((path) => `http://origin.example/${path}${method}`),
  );
});

describe('Options that cannot be meant are refused at once', () => {
  const token = 'secret-of-the-base-url';
  test.each([
    ['no URL', { baseUrl: 'sso.example.com' }],
    ['another scheme', { baseUrl: 'ftp://sso.example.com' }],
    ['a password', { baseUrl: `https://user:${token}@sso.example.com` }],
    ['a query', { baseUrl: `https://sso.example.com/?token=${token}` }],
    ['a host behind a path', { baseUrl: '//sso.example.com' }],
    ['a backslash', { baseUrl: '/\\sso.example.com' }],
    ['a negative deadline', { baseUrl: 'https://sso.example.com', timeoutMs: -1 }],
    ['no number', { baseUrl: 'https://sso.example.com', timeoutMs: Number.NaN }],
  ])('%s', (_, options) => {
    for (const { createClaimgateClient } of [node, browser]) {
      expect(() => createClaimgateClient(options)).toThrow(TypeError);
      expect(() => createClaimgateClient(options)).not.toThrow(token);
    }
  });
});

test('Both entry points export the same names', () => {
  expect(Object.keys(browser).toSorted()).toEqual(Object.keys(node).toSorted());
});
