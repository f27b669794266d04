// What the published JSON clients send and rely on, at the wire: no library of ours or of Connect is in between.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { openBackstage } from '../support/open-backstage.ts';
import type { Backstage } from '../support/open-backstage.ts';
import { callJson, callRaw } from '../support/call-json.ts';
import type { CallOptions, JsonAnswer } from '../support/call-json.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { describeNewConfiguration } from './sso-configuration-values.ts';

const UNKNOWN_ID = '018f0000-0000-7000-8000-000000000000';
const GET = 'OrganizationService/GetSSOConfiguration';
const CREATE = 'OrganizationService/CreateSSOConfiguration';
const UPDATE = 'OrganizationService/UpdateSSOConfiguration';

let claimgate: StartedClaimgate;
let backstage: Backstage;

beforeAll(async () => {
  claimgate = await startClaimgate();
  backstage = await openBackstage(claimgate);
});

afterAll(async () => {
  await backstage.close();
  await claimgate.stop();
});

function call(rpc: string, body: unknown, options: CallOptions = {}): Promise<JsonAnswer> {
  return callJson(claimgate.url, rpc, body, { token: claimgate.token, ...options });
}

async function create(given: object = {}): Promise<Record<string, unknown> & { id: string }> {
  const request = { ...describeNewConfiguration(claimgate.organizationId), ...given };
  const { body, status } = await call(CREATE, request);
  expect(status).toBe(200);
  return body['ssoConfiguration'] as { id: string };
}

describe('a request', () => {
  test.each(['', '/api'])('needs no Connect-Protocol-Version, below "%s/"', async (prefix) => {
    const { status, body } = await call('IdentityService/GetAuthenticatedIdentity', {}, { prefix });
    expect(status).toBe(200);
    expect(body).toMatchObject({ organizationId: claimgate.organizationId });
  });

  test('may hold null for every field that it leaves out', async () => {
    const created = await create({
      emailDomain: null,
      emailDomains: null,
      displayName: null,
      additionalScopes: null,
      claimsExpression: null,
    });
    const filled = await create({
      displayName: 'Stays',
      emailDomains: ['stays.example'],
      additionalScopes: ['stays'],
      claimsExpression: 'claims.stays == true',
    });
    const { status, body } = await call(UPDATE, {
      ssoConfigurationId: filled.id,
      clientId: null,
      clientSecret: null,
      issuerUrl: null,
      state: null,
      claims: null,
      emailDomain: null,
      emailDomains: null,
      displayName: null,
      additionalScopes: null,
      claimsExpression: null,
    });
    expect([status, body]).toEqual([200, {}]);
    for (const configuration of [created, filled]) {
      const answer = await call(GET, { ssoConfigurationId: configuration.id });
      expect(answer.body['ssoConfiguration']).toEqual(configuration);
    }
    const listed = await call('OrganizationService/ListSSOConfigurations', {
      organizationId: claimgate.organizationId,
      pagination: null,
    });
    expect(listed.status).toBe(200);
  });

  test('may spell its fields as the proto does', async () => {
    const { id } = await create();
    expect((await call(GET, { sso_configuration_id: id })).status).toBe(200);
  });

  test('may hold fields that we do not know, at every depth', async () => {
    const { id } = await create({ unknown: { deep: [1, null] } });
    const { status } = await call(UPDATE, {
      ssoConfigurationId: id,
      additionalScopes: { scopes: ['groups'], also: true },
      novel: 'x',
    });
    expect(status).toBe(200);
  });

  const wrongEnums = ['SSO_CONFIGURATION_STATE_PAUSED', 'ACTIVE', '', 7, -1, 1.5, true];
  test.each(wrongEnums)('is refused for the unknown enum value %j', async (state) => {
    const { id } = await create();
    const answer = await call(UPDATE, { ssoConfigurationId: id, state });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'invalid_argument' });
    const { body } = await call(GET, { ssoConfigurationId: id });
    expect(body['ssoConfiguration']).toMatchObject({ state: 'SSO_CONFIGURATION_STATE_ACTIVE' });
  });

  const nestedEnums = [
    { filter: { statuses: ['USER_STATUS_ACTIVE', 'USER_STATUS_ASLEEP'] } },
    { filter: { roles: ['ORGANIZATION_ROLE_OWNER'] } },
    { filter: { roles: [99] } },
    { sort: { field: 'SORT_FIELD_SHOE_SIZE' } },
    { sort: { order: 'SORT_ORDER_RANDOM' } },
    { sort: { order: 12 } },
  ];
  test.each(nestedEnums)('is refused for unknown enum values inside: %j', async (given) => {
    const request = { organizationId: claimgate.organizationId, ...given };
    const { status, body } = await call('OrganizationService/ListMembers', request);
    expect([status, body['code']]).toEqual([400, 'invalid_argument']);
  });

  test('may name enum values by number', async () => {
    const { id } = await create();
    expect((await call(UPDATE, { ssoConfigurationId: id, state: 1 })).status).toBe(200);
  });

  const malformed = ['{', 'null and void', '{"organizationId":5}', '[]', '"text"', '\u0000'];
  test.each(malformed)('that is malformed is an invalid_argument: %j', async (body) => {
    const { status, body: error, headers } = await call(GET, body);
    expect([status, error['code']]).toEqual([400, 'invalid_argument']);
    expect(headers.get('x-should-retry')).toBe('false');
    expect(headers.get('x-request-id')).toBeTruthy();
  });

  test('nested 5,000 deep is an invalid_argument', async () => {
    const deep = `{"x":${'['.repeat(5000)}${']'.repeat(5000)}}`;
    expect((await call(GET, deep)).body).toMatchObject({ code: 'invalid_argument' });
  });

  test('of more than 64 KiB is a resource_exhausted', async () => {
    const answer = await call(GET, { ssoConfigurationId: 'x'.repeat(66_000) });
    expect([answer.status, answer.body['code']]).toEqual([429, 'resource_exhausted']);
    expect(answer.headers.get('x-should-retry')).toBe('false');
  });
});

describe('a response', () => {
  test('writes empty texts, lists and maps, and every other zero value', async () => {
    const { id, ...configuration } = await create({ clientId: 'bare' });
    expect(configuration).toEqual({
      organizationId: claimgate.organizationId,
      clientId: 'bare',
      issuerUrl: 'https://idp.example.com',
      state: 'SSO_CONFIGURATION_STATE_ACTIVE',
      claims: {},
      emailDomain: '',
      providerType: 'PROVIDER_TYPE_CUSTOM',
      emailDomains: [],
      displayName: '',
      additionalScopes: [],
      claimsExpression: '',
    });
    const organizationId = await backstage.addOrganization('Empty');
    for (const [rpc, list] of [
      ['ListSSOConfigurations', 'ssoConfigurations'],
      ['ListDomainVerifications', 'domainVerifications'],
      ['ListMembers', 'members'],
    ] as const) {
      const { body } = await call(`OrganizationService/${rpc}`, { organizationId });
      expect(body).toEqual({ [list]: [], pagination: { nextToken: '' } });
    }
    const deleted = await call('OrganizationService/DeleteSSOConfiguration', {
      ssoConfigurationId: id,
    });
    expect(deleted.text).toBe('{}');
  });

  test('is application/json, and exactly application/proto where the request was', async () => {
    const json = await call('IdentityService/GetAuthenticatedIdentity', {});
    expect(json.headers.get('content-type')).toBe('application/json');
    const proto = await callRaw(
      claimgate.url,
      'IdentityService/GetAuthenticatedIdentity',
      new Uint8Array(),
      {
        token: claimgate.token,
        headers: { 'content-type': 'application/proto' },
      },
    );
    expect(proto.status).toBe(200);
    expect(proto.headers.get('content-type')).toBe('application/proto');
    expect(proto.text).toContain(claimgate.organizationId);
  });

  test('to an empty application/proto body is that to an empty message', async () => {
    const { status, headers, text } = await callRaw(claimgate.url, GET, new Uint8Array(), {
      token: claimgate.token,
      headers: { 'content-type': 'application/proto' },
    });
    expect(status).toBe(400);
    expect(headers.get('content-type')).toBe('application/json');
    expect(JSON.parse(text)).toMatchObject({ code: 'invalid_argument' });
  });

  test('to malformed binary is an invalid_argument', async () => {
    const { status, text } = await callRaw(claimgate.url, GET, Buffer.from('ff07ffff', 'hex'), {
      token: claimgate.token,
      headers: { 'content-type': 'application/proto' },
    });
    expect(JSON.parse(text)).toMatchObject({ code: 'invalid_argument' });
    expect(status).toBe(400);
  });
});

describe('an error', () => {
  const missing = { ssoConfigurationId: UNKNOWN_ID };
  const errors: [
    code: string,
    status: number,
    rpc: string,
    body: unknown,
    options?: CallOptions,
  ][] = [
    ['invalid_argument', 400, GET, { ssoConfigurationId: 'no id' }],
    ['invalid_argument', 400, GET, ''],
    ['unauthenticated', 401, GET, missing, { token: 'no-such-token-of-24-characters' }],
    ['not_found', 404, GET, missing],
    ['unimplemented', 404, 'OrganizationService/NoSuchMethod', {}],
    ['unimplemented', 404, 'EnvironmentService/ListEnvironments', {}],
  ];
  test.each(errors)(
    'of code %s is %i, as JSON that says so, and is not to be tried again',
    async (code, status, rpc, body, options) => {
      for (const prefix of ['', '/api']) {
        const answer = await call(rpc, body, { ...options, prefix });
        expect(answer.body).toMatchObject({ code, message: expect.stringMatching(/\w/) });
        expect(answer.status).toBe(status);
        expect(answer.headers.get('content-type')).toBe('application/json');
        expect(answer.headers.get('x-should-retry')).toBe('false');
        expect(answer.headers.get('retry-after')).toBeNull();
      }
    },
  );

  test('that says another one has it already, or that something stands in the way, is not to be tried again', async () => {
    const request = describeNewConfiguration(claimgate.organizationId);
    await create(request);
    const taken = await call(CREATE, request);
    expect([taken.status, taken.body['code']]).toEqual([409, 'already_exists']);
    const last = await call('OrganizationService/DeleteOrganization', {
      organizationId: claimgate.organizationId,
    });
    expect([last.status, last.body['code']]).toEqual([400, 'failed_precondition']);
    for (const { headers } of [taken, last]) expect(headers.get('x-should-retry')).toBe('false');
  });
});

describe('the request id', () => {
  const calls: [what: string, rpc: string, body: unknown, options?: CallOptions][] = [
    ['an answer', 'IdentityService/GetAuthenticatedIdentity', {}],
    ['a refusal by a rule', GET, { ssoConfigurationId: 'x' }],
    ['a refusal of the body', GET, '{'],
    ['a refusal of the credentials', GET, {}, { token: 'x' }],
    ['a refusal of the method', 'OrganizationService/NoSuchMethod', {}],
    ['a refusal of the content type', GET, {}, { headers: { 'content-type': 'text/plain' } }],
  ];
  test.each(calls)('is in %s', async (_, rpc, body, options) => {
    const { headers } = await call(rpc, body, options);
    expect(headers.get('x-request-id')).toMatch(/^[\w.-]{8,64}$/);
  });

  test('is the one that the caller gives, if it looks like one', async () => {
    const identify = async (given: string) =>
      (
        await call(
          'IdentityService/GetAuthenticatedIdentity',
          {},
          { headers: { 'x-request-id': given } },
        )
      ).headers.get('x-request-id');
    expect(await identify('trace-0123456789')).toBe('trace-0123456789');
    for (const odd of ['short', 'x'.repeat(65), 'has spaces in it', '<script>alert(1)</script>']) {
      expect(await identify(odd)).toMatch(/^[0-9a-f-]{36}$/);
    }
  });
});

describe('pages by the URL', () => {
  interface List {
    readonly rpc: string;
    readonly rows: string;
    readonly request: object;
  }

  async function prepareLists(): Promise<List[]> {
    const organizationId = await backstage.addOrganization('Paged');
    const { user } = await backstage.addPerson(organizationId);
    for (let index = 0; index < 5; index++) {
      await create({ organizationId });
      const domain = `paged${index}.example`;
      await call('OrganizationService/CreateDomainVerification', { organizationId, domain });
      if (index > 0) await backstage.addPerson(organizationId);
      if (index > 0) await backstage.addToken(user.id, {});
    }
    const service = 'OrganizationService';
    return [
      {
        rpc: `${service}/ListSSOConfigurations`,
        rows: 'ssoConfigurations',
        request: { organizationId },
      },
      {
        rpc: `${service}/ListDomainVerifications`,
        rows: 'domainVerifications',
        request: { organizationId },
      },
      { rpc: `${service}/ListMembers`, rows: 'members', request: { organizationId } },
      {
        rpc: 'UserService/ListPersonalAccessTokens',
        rows: 'personalAccessTokens',
        request: { filter: { userIds: [user.id] } },
      },
    ];
  }

  test('win over those of the body, which every call repeats, on every list', async () => {
    for (const { rpc, rows, request } of await prepareLists()) {
      const first = { ...request, pagination: { pageSize: 2, token: '' } };
      const seen: unknown[] = [];
      const sizes: number[] = [];
      for (let query = ''; sizes.length < 10;) {
        const { body, status } = await call(rpc, first, { query });
        expect(status).toBe(200);
        const page = body[rows] as unknown[];
        seen.push(...page);
        sizes.push(page.length);
        const { nextToken } = body['pagination'] as { nextToken: string };
        if (nextToken === '') break;
        query = `?token=${encodeURIComponent(nextToken)}&pageSize=2`;
      }
      expect({ rpc, sizes }).toEqual({ rpc, sizes: [2, 2, 1] });
      expect(new Set(seen.map((row) => JSON.stringify(row))).size).toBe(5);
      const all = await call(rpc, request, { query: '?pageSize=5' });
      expect(all.body[rows]).toEqual(seen);
    }
  });

  test('that are no page are refused, naming the field', async () => {
    for (const { rpc, request } of await prepareLists()) {
      for (const query of ['?pageSize=101', '?pageSize=-1', '?pageSize=two', '?token=made-up']) {
        const { body, status } = await call(rpc, request, { query });
        const asked = `${rpc}${query}`;
        expect([asked, status, body['code']]).toEqual([asked, 400, 'invalid_argument']);
      }
    }
  });

  test('mean nothing to other methods', async () => {
    const { id } = await create();
    const answer = await call(GET, { ssoConfigurationId: id }, { query: '?token=x&pageSize=x' });
    expect(answer.status).toBe(200);
  });
});
