// The JSON client that is published on npm, as it comes, against our server.
import {
  APIConnectionError,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  Gitpod,
  NotFoundError,
} from '@gitpod/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';

let claimgate: StartedClaimgate;

beforeAll(async () => {
  claimgate = await startClaimgate();
});

afterAll(() => claimgate.stop());

type FetchLike = NonNullable<NonNullable<ConstructorParameters<typeof Gitpod>[0]>['fetch']>;

function createClient(prefix: string, fetchLike?: FetchLike): Gitpod {
  return new Gitpod({
    baseURL: claimgate.url + prefix,
    bearerToken: claimgate.token,
    logLevel: 'off',
    ...(fetchLike && { fetch: fetchLike }),
  });
}

async function addOrganization(): Promise<string> {
  const { organization } = await createClient('').organizations.create({ name: 'Initech' });
  return organization.id;
}

const describeNew = (organizationId: string, clientId = 'client') => ({
  organizationId,
  clientId,
  clientSecret: 'hush',
  emailDomain: 'acme-corp.com',
  issuerUrl: 'https://idp.example.com',
});

describe.each(['', '/api'])('with the base "%s/"', (prefix) => {
  test('creates, reads, updates and deletes', async () => {
    const { ssoConfigurations } = createClient(prefix).organizations;
    const organizationId = await addOrganization();
    const { ssoConfiguration } = await ssoConfigurations.create(describeNew(organizationId));
    expect(ssoConfiguration).toMatchObject({
      organizationId,
      clientId: 'client',
      issuerUrl: 'https://idp.example.com',
      displayName: '',
      emailDomain: 'acme-corp.com',
      emailDomains: ['acme-corp.com'],
      additionalScopes: [],
      claims: {},
      claimsExpression: '',
      providerType: 'PROVIDER_TYPE_CUSTOM',
      state: 'SSO_CONFIGURATION_STATE_ACTIVE',
    });
    const { id: ssoConfigurationId } = ssoConfiguration;
    const changed = await ssoConfigurations.update({
      ssoConfigurationId,
      claims: { groups: 'roles' },
      clientSecret: null,
      issuerUrl: null,
      emailDomain: 'Acme-Corp.org',
      state: 'SSO_CONFIGURATION_STATE_INACTIVE',
    });
    expect(changed).toEqual({});
    const read = await ssoConfigurations.retrieve({ ssoConfigurationId });
    expect(read.ssoConfiguration).toEqual({
      ...ssoConfiguration,
      claims: { groups: 'roles' },
      emailDomain: 'Acme-Corp.org',
      emailDomains: ['Acme-Corp.org'],
      state: 'SSO_CONFIGURATION_STATE_INACTIVE',
    });
    expect(await ssoConfigurations.delete({ ssoConfigurationId })).toEqual({});
    await expect(ssoConfigurations.retrieve({ ssoConfigurationId })).rejects.toBeInstanceOf(
      NotFoundError,
    );
  });

  test('lists 60 configurations over three pages, each once, and stops', async () => {
    const organizationId = await addOrganization();
    let calls = 0;
    const client = createClient(prefix, (url, init) => {
      calls++;
      return fetch(url, init);
    });
    const made: string[] = [];
    for (let index = 0; index < 60; index++) {
      const { ssoConfiguration } = await client.organizations.ssoConfigurations.create(
        describeNew(organizationId, `client-${index}`),
      );
      made.push(ssoConfiguration.id);
    }
    calls = 0;
    const listed: string[] = [];
    for await (const { id } of client.organizations.ssoConfigurations.list({ organizationId })) {
      listed.push(id);
      if (listed.length > 200) break;
    }
    expect(listed).toEqual(made);
    expect(calls).toBe(3);
    calls = 0;
    const pageSizes: number[] = [];
    const first = await client.organizations.ssoConfigurations.list({
      organizationId,
      pagination: { pageSize: 40 },
    });
    for await (const page of first.iterPages()) pageSizes.push(page.ssoConfigurations.length);
    expect([pageSizes, calls]).toEqual([[40, 20], 2]);
  });

  test('walks the other lists too', async () => {
    const organizationId = await addOrganization();
    const client = createClient(prefix);
    for (let index = 0; index < 3; index++) {
      await client.organizations.domainVerifications.create({
        organizationId,
        domain: `d${index}.example`,
      });
    }
    const domains: string[] = [];
    const paging = { organizationId, pageSize: 1 };
    for await (const { domain } of client.organizations.domainVerifications.list(paging))
      domains.push(domain);
    expect(domains).toEqual(['d0.example', 'd1.example', 'd2.example']);
    const members: string[] = [];
    const own = { organizationId: claimgate.organizationId };
    for await (const { fullName } of client.organizations.listMembers(own)) members.push(fullName);
    expect(members).toEqual(['Operator']);
    const tokens: unknown[] = [];
    for await (const token of client.users.pats.list({})) tokens.push(token);
    expect(tokens).toHaveLength(1);
  });

  test('knows who it is', async () => {
    const client = createClient(prefix);
    expect(await client.identity.getAuthenticatedIdentity({})).toMatchObject({
      organizationId: claimgate.organizationId,
      subject: { principal: 'PRINCIPAL_USER' },
    });
    expect((await client.users.getAuthenticatedUser({})).user).toMatchObject({ name: 'Operator' });
  });
});

describe('its errors', () => {
  test('have the class and the message that they should', async () => {
    const organizationId = await addOrganization();
    const { ssoConfigurations } = createClient('/api').organizations;
    await ssoConfigurations.create(describeNew(organizationId));
    const failures = [
      [ConflictError, () => ssoConfigurations.create(describeNew(organizationId))],
      [
        BadRequestError,
        () => ssoConfigurations.create({ ...describeNew(organizationId), issuerUrl: 'x' }),
      ],
      [NotFoundError, () => ssoConfigurations.retrieve({ ssoConfigurationId: organizationId })],
      [
        AuthenticationError,
        () =>
          createClient('').withOptions({ bearerToken: 'x' }).identity.getAuthenticatedIdentity({}),
      ],
    ] as const;
    for (const [errorClass, call] of failures) {
      const error: unknown = await call().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(errorClass);
      expect(error).toMatchObject({ message: expect.stringMatching(/\w+ .*\w/) });
    }
  });

  test('are not tried again where that cannot help', async () => {
    const organizationId = await addOrganization();
    let calls = 0;
    const client = createClient('', (url, init) => {
      calls++;
      return fetch(url, init);
    });
    const { ssoConfigurations } = client.organizations;
    await ssoConfigurations.create(describeNew(organizationId));
    calls = 0;
    await expect(ssoConfigurations.create(describeNew(organizationId))).rejects.toBeInstanceOf(
      ConflictError,
    );
    await expect(Promise.resolve(client.environments.list({}))).rejects.toMatchObject({
      status: 404,
    });
    expect(calls).toBe(2);
  });
});

describe('its retries', () => {
  /** Lets the first so many requests through, and loses their answers. */
  const losing = (count: number, statuses: number[]): FetchLike => {
    let lost = 0;
    return async (url, init) => {
      const response = await fetch(url, init);
      statuses.push(response.status);
      if (lost++ >= count) return response;
      await response.arrayBuffer();
      throw new TypeError('connection lost');
    };
  };

  test('of a create whose answer was lost create nothing twice', async () => {
    const organizationId = await addOrganization();
    const statuses: number[] = [];
    const client = createClient('', losing(1, statuses));
    await expect(
      client.organizations.ssoConfigurations.create(describeNew(organizationId)),
    ).rejects.toBeInstanceOf(ConflictError);
    expect(statuses).toEqual([200, 409]);
    const { ssoConfigurations } = await createClient('').organizations.ssoConfigurations.list({
      organizationId,
    });
    expect(ssoConfigurations).toHaveLength(1);
  });

  test('of an update whose answers were lost leave what one update leaves', async () => {
    const organizationId = await addOrganization();
    const { ssoConfiguration } = await createClient('').organizations.ssoConfigurations.create(
      describeNew(organizationId),
    );
    const statuses: number[] = [];
    const client = createClient('', losing(2, statuses));
    const { id: ssoConfigurationId } = ssoConfiguration;
    const change = { ssoConfigurationId, claims: { email: 'mail', none: '' }, clientId: 'once' };
    await client.organizations.ssoConfigurations.update(change);
    expect(statuses).toEqual([200, 200, 200]);
    const read = await createClient('').organizations.ssoConfigurations.retrieve({
      ssoConfigurationId,
    });
    expect(read.ssoConfiguration).toEqual({
      ...ssoConfiguration,
      claims: { email: 'mail' },
      clientId: 'once',
    });
  });

  test('end when no answer ever comes', async () => {
    const statuses: number[] = [];
    const client = createClient('', losing(10, statuses));
    await expect(client.identity.getAuthenticatedIdentity({})).rejects.toBeInstanceOf(
      APIConnectionError,
    );
    expect(statuses).toEqual([200, 200, 200]);
  });
});

describe('the audit log', () => {
  test('is read page by page, and narrowed by all its filters', async () => {
    const client = createClient('/api');
    const { identity, events, organizations } = client;
    const { organizationId = '', subject } = await identity.getAuthenticatedIdentity({});
    const actorId = subject?.id ?? '';
    const names = Array.from({ length: 30 }, (_, index) => `Renamed ${index}`);
    for (const name of names) await organizations.update({ organizationId, name });
    const seen: string[] = [];
    for await (const entry of events.list({
      filter: { actorIds: [actorId], actorPrincipals: ['PRINCIPAL_USER'] },
      pagination: { pageSize: 7 },
    })) {
      seen.push(entry.id ?? '');
      if (seen.length === 1) {
        expect(entry).toMatchObject({
          actorId,
          actorPrincipal: 'PRINCIPAL_USER',
          subjectId: organizationId,
          subjectType: 'RESOURCE_TYPE_ORGANIZATION',
          action: 'organization.updated',
        });
        expect(Date.now() - new Date(entry.createdAt ?? '').getTime()).toBeLessThan(60_000);
      }
    }
    expect(seen.length).toBeGreaterThanOrEqual(names.length);
    expect(new Set(seen).size).toBe(seen.length);
    const none = await events.list({ filter: { subjectIds: [actorId] } });
    expect(none.entries).toEqual([]);
    const others = await events.list({ filter: { actorPrincipals: ['PRINCIPAL_RUNNER'] } });
    expect(others.entries).toEqual([]);
  });

  test('has no stream of events beside it', async () => {
    const watching = createClient('').events.watch({ organization: true });
    await expect(watching).rejects.toThrow(NotFoundError);
  });
});
