// What a caller is told when a call fails, and what only the log is told.
import { durationMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { codeToString } from '@connectrpc/connect/protocol-connect';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from '../../gen/google/rpc/error_details_pb.ts';
import { IdentityService } from '../../gen/gitpod/v1/identity_pb.ts';
import { DomainError, ERROR_REASONS } from '../../src/domain/errors.ts';
import type { DomainErrorCode, ErrorReason } from '../../src/domain/errors.ts';
import { startListener } from '../../src/http/listener.ts';
import type { Listener } from '../../src/http/listener.ts';
import { createRpcEndpoint } from '../../src/http/rpc-endpoint.ts';
import { completeError, describeError, isUnforeseen } from '../../src/rpc/errors.ts';
import { createInterceptor } from '../../src/rpc/interceptor.ts';
import { callJson } from '../support/call-json.ts';
import { createApi, openTransport, PROTOCOLS } from '../support/create-api.ts';
import type { Api, Protocol } from '../support/create-api.ts';
import { readRefusal } from '../support/read-refusal.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { describeNewConfiguration } from './sso-configuration-values.ts';

let claimgate: StartedClaimgate;

beforeAll(async () => {
  claimgate = await startClaimgate();
});

afterAll(() => claimgate.stop());

/** What an error says to programs, read as a client does. */
function readDetails(error: ConnectError) {
  const [info] = error.findDetails(ErrorInfoSchema);
  const [retry] = error.findDetails(RetryInfoSchema);
  return {
    reason: info?.reason,
    domain: info?.domain,
    metadata: info?.metadata,
    waitMs: retry?.retryDelay && durationMs(retry.retryDelay),
  };
}

interface Row {
  readonly code: Code;
  readonly retry: boolean;
  readonly waitMs: number | undefined;
}

const CODES: Readonly<Record<DomainErrorCode, Row>> = {
  invalid_argument: { code: Code.InvalidArgument, retry: false, waitMs: undefined },
  unauthenticated: { code: Code.Unauthenticated, retry: false, waitMs: undefined },
  permission_denied: { code: Code.PermissionDenied, retry: false, waitMs: undefined },
  not_found: { code: Code.NotFound, retry: false, waitMs: undefined },
  already_exists: { code: Code.AlreadyExists, retry: false, waitMs: undefined },
  failed_precondition: { code: Code.FailedPrecondition, retry: false, waitMs: undefined },
  resource_exhausted: { code: Code.ResourceExhausted, retry: false, waitMs: undefined },
  aborted: { code: Code.Aborted, retry: true, waitMs: 100 },
  unavailable: { code: Code.Unavailable, retry: true, waitMs: 1000 },
};
const rows = Object.entries(CODES) as [DomainErrorCode, Row][];

describe('a refusal of the domain', () => {
  test.each(rows)('of code %s has its own name on the wire', (domainCode, { code, ...row }) => {
    const cause = new Error('the cause');
    const error = describeError(new DomainError(domainCode, 'Do this.', { cause }), 'id');
    expect(codeToString(error.code)).toBe(domainCode);
    expect(error.code).toBe(code);
    expect(error.rawMessage).toBe('Do this.');
    expect(error.cause).toBeUndefined();
    expect(error.metadata.get('x-should-retry')).toBe(row.retry ? null : 'false');
    expect(error.metadata.get('retry-after')).toBe(row.waitMs === undefined ? null : '1');
    expect(readDetails(error)).toEqual({
      reason: domainCode.toUpperCase(),
      domain: 'claimgate',
      metadata: {},
      waitMs: row.waitMs,
    });
  });

  test.each(rows)('of code %s says how long to wait, if that is known', (domainCode) => {
    const error = describeError(new DomainError(domainCode, '', { retryAfterMs: 1200.5 }), 'id');
    expect(Object.fromEntries(error.metadata)).toEqual({
      'retry-after': '2',
      'retry-after-ms': '1201',
      'ratelimit-retryafter': '2',
    });
    expect(readDetails(error).waitMs).toBe(1201);
  });

  test.each(Object.entries(ERROR_REASONS) as [ErrorReason, DomainErrorCode][])(
    'for the reason %s says so',
    (reason, code) => {
      expect(reason).toMatch(/^[A-Z][A-Z0-9_]+[A-Z0-9]$/);
      const metadata = { name: 'value' };
      const error = describeError(new DomainError(code, 'Do this.', { reason, metadata }), 'id');
      expect(readDetails(error)).toMatchObject({ reason, metadata });
    },
  );
});

describe.each(PROTOCOLS)('over %s', (protocol) => {
  /** What the domain throws is the name of an organization, and what stands in the way of it is ours. */
  const wire = startWire();

  test.each(rows)('a refusal of code %s arrives with all that it says', async (domainCode, row) => {
    const violations = [{ field: 'email_domains[1]', rule: 'domain.format', message: 'no domain' }];
    const error = await wire.call(
      protocol,
      new DomainError(domainCode, 'Say: “100 %”', {
        ...(domainCode === 'invalid_argument' && { violations }),
        metadata: { name: 'value' },
      }),
    );
    expect([error.code, error.rawMessage]).toEqual([row.code, 'Say: “100 %”']);
    expect(readDetails(error)).toEqual({
      reason: domainCode.toUpperCase(),
      domain: 'claimgate',
      metadata: { name: 'value' },
      waitMs: row.waitMs,
    });
    expect(error.metadata.get('x-should-retry')).toBe(row.retry ? null : 'false');
    const [badRequest] = error.findDetails(BadRequestSchema);
    expect(badRequest?.fieldViolations).toEqual(
      domainCode === 'invalid_argument'
        ? [
            expect.objectContaining({
              field: 'email_domains[1]',
              description: 'no domain',
              reason: 'DOMAIN_FORMAT',
            }),
          ]
        : undefined,
    );
  });

  test('what no interceptor saw arrives complete too', async () => {
    const transport = openTransport(claimgate.url, `Bearer ${claimgate.token}`, protocol);
    const method = { ...IdentityService.method.getAuthenticatedIdentity, name: 'NoSuchMethod' };
    const calls = [
      transport.unary(method, undefined, undefined, undefined, {}),
      createApi(
        claimgate.url,
        `Bearer ${claimgate.token}`,
        protocol,
      ).organizations.updateOrganization({
        organizationId: claimgate.organizationId,
        name: 'x'.repeat(70_000),
      }),
    ];
    const errors = await Promise.all(calls.map(catchError));
    expect(errors.map((error) => readDetails(error).reason)).toEqual([
      'UNIMPLEMENTED',
      'RESOURCE_EXHAUSTED',
    ]);
    for (const error of errors) expect(error.metadata.get('x-should-retry')).toBe('false');
  });
});

/** The real endpoint on a real port, with one method that throws what it is told. */
function startWire() {
  let thrown: unknown;
  const { promise: started, resolve } = Promise.withResolvers<Listener>();
  beforeAll(async () => {
    const handle = createRpcEndpoint(
      {
        interceptors: [
          createInterceptor(
            { refusals: { note: () => undefined, settle: async () => undefined } },
            () => undefined,
          ),
        ],
        completeError,
        endlessPaths: [],
        routes: (router) =>
          router.service(IdentityService, {
            getAuthenticatedIdentity: () => {
              throw thrown;
            },
          }),
      },
      [],
    );
    resolve(await startListener({ host: '127.0.0.1', port: 0, handle, tls: undefined }));
  });
  afterAll(async () => (await started).close({ drainMs: 0 }));
  return {
    async call(protocol: Protocol, reason: unknown): Promise<ConnectError> {
      thrown = reason;
      const { port } = await started;
      const { identity } = createApi(`http://127.0.0.1:${port}`, undefined, protocol);
      return catchError(identity.getAuthenticatedIdentity({}));
    },
  };
}

async function catchError(call: Promise<unknown>): Promise<ConnectError> {
  return call.then(
    () => expect.unreachable(),
    (reason: unknown) => ConnectError.from(reason),
  );
}

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
      expect(error.rawMessage).toBe('said by the library');
      expect(isUnforeseen(error)).toBe(false);
    }
  });

  test('that no interceptor saw says the same, once', () => {
    const error = new ConnectError('', Code.InvalidArgument);
    completeError(error);
    completeError(describeError(error, 'id'));
    expect(error.metadata.get('x-should-retry')).toBe('false');
    expect(error.details).toHaveLength(1);
    const late = new ConnectError('', Code.DeadlineExceeded);
    completeError(late);
    expect([...late.metadata]).toEqual([]);
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

test('violations are readable in JSON too, as protovalidate’s own message, and as Google’s', async () => {
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
    {
      type: 'google.rpc.BadRequest',
      debug: { fieldViolations: [{ field: 'organization_id', reason: 'REQUIRED' }] },
    },
    {
      type: 'google.rpc.ErrorInfo',
      debug: { reason: 'INVALID_ARGUMENT', domain: 'claimgate' },
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
      expect(Object.keys(answer.body).toSorted()).toEqual(['code', 'details', 'message']);
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
