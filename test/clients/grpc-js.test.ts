// The gRPC library of Node, without generated clients, against our server.
import { fromBinary, toBinary, create } from '@bufbuild/protobuf';
import type {
  DescMessage,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import { ViolationsSchema } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { Code } from '@connectrpc/connect';
import { findTrailerError } from '@connectrpc/connect/protocol-grpc';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { IdentityService } from '../../gen/gitpod/v1/identity_pb.ts';
import { OrganizationService } from '../../gen/gitpod/v1/organization_pb.ts';
import { describePath } from '../support/read-refusal.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';

const { createSSOConfiguration, getSSOConfiguration, listSSOConfigurations } =
  OrganizationService.method;
const { getAuthenticatedIdentity } = IdentityService.method;

let claimgate: StartedClaimgate;
let client: Client;

beforeAll(async () => {
  claimgate = await startClaimgate();
  client = new Client(new URL(claimgate.url).host, credentials.createInsecure());
});

afterAll(async () => {
  client.close();
  await claimgate.stop();
});

interface CallOptions {
  readonly token?: string | undefined;
  readonly deadline?: number;
}

function call<Input extends DescMessage, Output extends DescMessage>(
  method: DescMethodUnary<Input, Output>,
  request: MessageInitShape<Input>,
  { token = claimgate.token, deadline }: CallOptions = {},
): Promise<MessageShape<Output>> {
  const metadata = new Metadata();
  if (token !== '') metadata.set('authorization', `Bearer ${token}`);
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      `/${method.parent.typeName}/${method.name}`,
      (message: MessageShape<Input>) => Buffer.from(toBinary(method.input, message)),
      (bytes) => fromBinary(method.output, bytes),
      create(method.input, request),
      metadata,
      deadline === undefined ? {} : { deadline },
      (error, response) => {
        if (response === undefined) reject(error ?? new Error('no response'));
        else resolve(response);
      },
    );
  });
}

async function fail(promise: Promise<unknown>): Promise<ServiceError> {
  return promise.then(
    () => expect.unreachable(),
    (error: ServiceError) => error,
  );
}

test('creates and reads', async () => {
  const { ssoConfiguration } = await call(createSSOConfiguration, {
    organizationId: claimgate.organizationId,
    clientId: 'client',
    clientSecret: 'hush',
    issuerUrl: 'https://idp.example.com',
    emailDomains: ['example.com'],
  });
  const read = await call(getSSOConfiguration, { ssoConfigurationId: ssoConfiguration?.id ?? '' });
  expect(read.ssoConfiguration).toEqual(ssoConfiguration);
  const listed = await call(listSSOConfigurations, { organizationId: claimgate.organizationId });
  expect(listed.ssoConfigurations).toContainEqual(ssoConfiguration);
});

test('calls 200 times at once over one connection', async () => {
  const answers = await Promise.all(
    Array.from({ length: 200 }, () => call(getAuthenticatedIdentity, {})),
  );
  expect(new Set(answers.map(({ organizationId }) => organizationId))).toEqual(
    new Set([claimgate.organizationId]),
  );
});

describe('an error', () => {
  test('has the status code and the message', async () => {
    const ssoConfigurationId = '018f0000-0000-7000-8000-000000000000';
    const error = await fail(call(getSSOConfiguration, { ssoConfigurationId }));
    expect([error.code, error.details]).toEqual([
      status.NOT_FOUND,
      'No such SSO configuration. ListSSOConfigurations shows those of your organization.',
    ]);
    expect((await fail(call(getSSOConfiguration, {}, { token: '' }))).code).toBe(
      status.UNAUTHENTICATED,
    );
    expect((await fail(call(getSSOConfiguration, {}, { token: 'x' }))).code).toBe(
      status.UNAUTHENTICATED,
    );
  });

  test('of rules carries the violations as its details', async () => {
    const error = await fail(call(createSSOConfiguration, { clientSecret: 'hush' }));
    expect(error.code).toBe(status.INVALID_ARGUMENT);
    expect(error.details).toContain('organization_id: value is required [required], ');
    const trailer = new Headers({ 'grpc-status': String(error.code) });
    const [details] = error.metadata.get('grpc-status-details-bin');
    trailer.set('grpc-status-details-bin', Buffer.from(details ?? '').toString('base64'));
    const decoded = findTrailerError(trailer);
    expect(decoded?.code).toBe(Code.InvalidArgument);
    const violations = decoded
      ?.findDetails(ViolationsSchema)
      .flatMap(({ violations }) => violations);
    expect(violations?.map(({ field }) => describePath(field))).toEqual([
      'organization_id',
      'client_id',
      'issuer_url',
    ]);
  });

  test('for what is not served is UNIMPLEMENTED', async () => {
    const elsewhere = { name: 'NoSuchMethod', parent: getAuthenticatedIdentity.parent };
    const method = { ...getAuthenticatedIdentity, ...elsewhere };
    expect((await fail(call(method, {}))).code).toBe(status.UNIMPLEMENTED);
    const parent = { ...getAuthenticatedIdentity.parent, typeName: 'gitpod.v1.NoSuchService' };
    expect((await fail(call({ ...getAuthenticatedIdentity, parent }, {}))).code).toBe(
      status.UNIMPLEMENTED,
    );
  });

  test('for a deadline that has passed is DEADLINE_EXCEEDED', async () => {
    const error = await fail(call(getAuthenticatedIdentity, {}, { deadline: Date.now() - 1 }));
    expect(error.code).toBe(status.DEADLINE_EXCEEDED);
  });
});
