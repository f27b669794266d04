// What a caller is told when a call fails, and what only the log is told.
import { Code, ConnectError } from '@connectrpc/connect';
import { codeToString } from '@connectrpc/connect/protocol-connect';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { DomainError } from '../../src/domain/errors.ts';
import type { DomainErrorCode } from '../../src/domain/errors.ts';
import { adviseOnRetry, describeError, isUnforeseen } from '../../src/rpc/errors.ts';
import { callJson } from '../support/call-json.ts';
import { createApi, PROTOCOLS } from '../support/create-api.ts';
import type { Api } from '../support/create-api.ts';
import { readRefusal } from '../support/read-refusal.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { describeNewConfiguration } from './sso-configuration-values.ts';

let claimgate: StartedClaimgate;

beforeAll(async () => {
  claimgate = await startClaimgate();
});

afterAll(() => claimgate.stop());

describe('a refusal of the domain', () => {
  const table: Readonly<Record<DomainErrorCode, { code: Code; retry: boolean }>> = {
    invalid_argument: { code: Code.InvalidArgument, retry: false },
    unauthenticated: { code: Code.Unauthenticated, retry: false },
    permission_denied: { code: Code.PermissionDenied, retry: false },
    not_found: { code: Code.NotFound, retry: false },
    already_exists: { code: Code.AlreadyExists, retry: false },
    failed_precondition: { code: Code.FailedPrecondition, retry: false },
    resource_exhausted: { code: Code.ResourceExhausted, retry: false },
    aborted: { code: Code.Aborted, retry: true },
    unavailable: { code: Code.Unavailable, retry: true },
  };
  const rows = Object.entries(table) as [DomainErrorCode, { code: Code; retry: boolean }][];

  test.each(rows)('of code %s has its own name on the wire', (domainCode, { code, retry }) => {
    const cause = new Error('the cause');
    const error = describeError(new DomainError(domainCode, 'Do this.', { cause }), 'id');
    expect(codeToString(error.code)).toBe(domainCode);
    expect(error.code).toBe(code);
    expect(error.rawMessage).toBe('Do this.');
    expect(error.cause).toBeUndefined();
    expect(error.metadata.get('x-should-retry')).toBe(retry ? null : 'false');
    expect(error.metadata.get('retry-after')).toBeNull();
  });

  test.each(rows)('of code %s says how long to wait, if that is known', (domainCode) => {
    const error = describeError(new DomainError(domainCode, '', { retryAfterMs: 1200.5 }), 'id');
    expect(Object.fromEntries(error.metadata)).toEqual({
      'retry-after': '2',
      'retry-after-ms': '1201',
      'ratelimit-retryafter': '2',
    });
    expect(adviseOnRetry(error)).toEqual({});
  });
});

describe('everything else', () => {
  const unforeseen = [
    new TypeError('secret detail'),
    'secret detail',
    undefined,
    new ConnectError('secret detail', Code.Internal),
    new ConnectError('secret detail', Code.Unknown),
  ];
  test.each(unforeseen)(
    'is internal, with the request id and without a word about its cause: %s',
    (reason) => {
      const error = describeError(reason, 'request-1');
      expect(error.code).toBe(Code.Internal);
      expect(error.rawMessage).toContain('request-1');
      expect(error.message).not.toContain('secret detail');
      expect(error.cause).toBeUndefined();
      expect(error.metadata.get('x-should-retry')).toBe('false');
      expect(isUnforeseen(reason)).toBe(true);
    },
  );

  test.each<[DomainError, boolean]>([
    [new DomainError('unavailable', 'away'), true],
    [new DomainError('resource_exhausted', 'full', { cause: new Error('disk is full') }), true],
    [new DomainError('resource_exhausted', 'too many', { retryAfterMs: 1 }), false],
    [new DomainError('failed_precondition', 'no key', { cause: new Error('unopened') }), true],
    [new DomainError('failed_precondition', 'the last admin'), false],
    [new DomainError('already_exists', 'taken'), false],
  ])('is for the log when it has a cause: %s', (reason, isOurs) => {
    expect(isUnforeseen(reason)).toBe(isOurs);
  });

  test('that Connect refuses stays as it is', () => {
    for (const code of [
      Code.InvalidArgument,
      Code.DeadlineExceeded,
      Code.Canceled,
      Code.Unimplemented,
    ]) {
      const error = new ConnectError('said by the library', code);
      expect(describeError(error, 'id')).toBe(error);
      expect(isUnforeseen(error)).toBe(false);
    }
  });

  test('that no interceptor saw gets the same advice on retries, once', () => {
    expect(adviseOnRetry(new ConnectError('', Code.InvalidArgument))).toEqual({
      'x-should-retry': 'false',
    });
    expect(adviseOnRetry(new ConnectError('', Code.DeadlineExceeded))).toEqual({});
    expect(adviseOnRetry(describeError(undefined, 'id'))).toEqual({});
  });
});

describe.each(PROTOCOLS)('violations over %s', (protocol) => {
  let api: Api;
  beforeAll(() => {
    api = createApi(claimgate.url, `Bearer ${claimgate.token}`, protocol);
  });

  const organizationId = '018f0000-0000-7000-8000-000000000000';
  const cases: [fields: string[], rules: string[], call: () => Promise<unknown>][] = [
    [['organization_id'], ['required'], () => api.organizations.getOrganization({})],
    [
      ['organization_id'],
      ['string.uuid'],
      () => api.organizations.getOrganization({ organizationId: 'x' }),
    ],
    [
      ['organization_id', 'client_id', 'client_secret', 'issuer_url'],
      ['required', 'required', 'required', 'required'],
      () => api.organizations.createSSOConfiguration({}),
    ],
    [
      ['issuer_url'],
      ['issuer_url.scheme'],
      () =>
        api.organizations.createSSOConfiguration({
          ...describeNewConfiguration(claimgate.organizationId),
          issuerUrl: 'http://idp.example.com',
        }),
    ],
    [
      ['pagination.page_size'],
      ['int32.gte_lte'],
      () => api.organizations.listMembers({ organizationId, pagination: { pageSize: 101 } }),
    ],
    [['name'], ['string.min_len'], () => api.organizations.createOrganization({ name: 'ab' })],
    [['name'], ['organization.name'], () => api.organizations.createOrganization({ name: '   ' })],
    [['audience'], ['repeated.min_items'], () => api.identity.getIDToken({})],
    [['audience'], ['audience.length'], () => api.identity.getIDToken({ audience: [''] })],
    [
      ['valid_for'],
      ['duration.gte_lte'],
      () =>
        api.users.createPersonalAccessToken({
          userId: organizationId,
          validFor: { seconds: 7_776_001n },
        }),
    ],
    [
      ['domain'],
      ['domain.format'],
      () =>
        api.organizations.createDomainVerification({
          organizationId: claimgate.organizationId,
          domain: 'no domain',
        }),
    ],
  ];
  test.each(cases)('name %j by the rule %j', async (fields, rules, call) => {
    expect(await readRefusal(call())).toMatchObject({ code: 'invalid_argument', fields, rules });
  });
});

test('violations are readable in JSON too, as protovalidate’s own message', async () => {
  const { body } = await callJson(
    claimgate.url,
    'OrganizationService/GetOrganization',
    {},
    { token: claimgate.token },
  );
  expect(body['details']).toMatchObject([
    {
      type: 'buf.validate.Violations',
      value: expect.stringMatching(/^[\w+/]+$/),
      debug: {
        violations: [
          { field: { elements: [{ fieldName: 'organization_id' }] }, ruleId: 'required' },
        ],
      },
    },
  ]);
});

describe('when the store fails in a way that nobody foresaw', () => {
  async function withBrokenRow<Result>(work: (id: string) => Promise<Result>): Promise<Result> {
    const { organizations } = createApi(claimgate.url, `Bearer ${claimgate.token}`);
    const { organization } = await organizations.createOrganization({ name: 'Broken' });
    const { ssoConfiguration } = await organizations.createSSOConfiguration(
      describeNewConfiguration(organization?.id ?? ''),
    );
    const id = ssoConfiguration?.id ?? '';
    const database = new DatabaseSync(join(claimgate.folder, 'claimgate.db'), { timeout: 5000 });
    database.prepare("UPDATE sso_configuration SET claims = '{broken' WHERE id = ?").run(id);
    database.close();
    return work(id);
  }

  test.each(PROTOCOLS)(
    'the caller over %s learns a request id alone, by which the log has the cause',
    async (protocol) => {
      await withBrokenRow(async (ssoConfigurationId) => {
        const { organizations } = createApi(claimgate.url, `Bearer ${claimgate.token}`, protocol);
        const refusal = await readRefusal(
          organizations.getSSOConfiguration({ ssoConfigurationId }),
        );
        expect(refusal.code).toBe('internal');
        const requestId = refusal.headers.get('x-request-id') ?? '';
        expect(requestId).not.toBe('');
        expect(refusal.message).toBe(
          `Something went wrong on our side. Should it last, ask the operator, naming request ${requestId}.`,
        );
        const line = claimgate
          .readLog()
          .split('\n')
          .find((line) => line.includes(requestId));
        expect(JSON.parse(line ?? '{}')).toMatchObject({
          level: 50,
          requestId,
          code: 'internal',
          method: 'gitpod.v1.OrganizationService/GetSSOConfiguration',
          err: { message: expect.stringContaining('JSON'), stack: expect.stringContaining('at ') },
        });
      });
    },
  );

  test('in JSON it is a 500 without stack, path or SQL', async () => {
    await withBrokenRow(async (ssoConfigurationId) => {
      const rpc = 'OrganizationService/GetSSOConfiguration';
      const answer = await callJson(
        claimgate.url,
        rpc,
        { ssoConfigurationId },
        { token: claimgate.token },
      );
      expect(answer.status).toBe(500);
      expect(Object.keys(answer.body).toSorted()).toEqual(['code', 'message']);
      expect(answer.text).not.toMatch(/\bat |\.ts|\/src\/|select|update|sqlite|JSON/i);
      expect(answer.headers.get('x-should-retry')).toBe('false');
    });
  });
});

test('every call is logged with its request id, its method, its user and its outcome', async () => {
  const { headers } = await callJson(
    claimgate.url,
    'OrganizationService/GetOrganization',
    { organizationId: claimgate.organizationId },
    { token: claimgate.token },
  );
  const requestId = headers.get('x-request-id') ?? '';
  const line = claimgate
    .readLog()
    .split('\n')
    .find((line) => line.includes(requestId));
  expect(JSON.parse(line ?? '{}')).toMatchObject({
    requestId,
    method: 'gitpod.v1.OrganizationService/GetOrganization',
    code: 'ok',
    userId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    durationMs: expect.any(Number),
  });
});
