import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';

import {
  SSOConfigurationState,
  UpdateOrganizationRequestSchema,
  UpdateSSOConfigurationRequestSchema,
} from '../../gen/gitpod/v1/organization_pb.ts';
import {
  buildUpdateOrganizationRequest,
  buildUpdateSsoConfigurationRequest,
  clear,
  createClaimgateClient,
  leave,
  set,
  updateSsoConfiguration,
} from '../../src/client/node.ts';
import type {
  Change,
  ClearableChange,
  OrganizationChange,
  SsoConfigurationChange,
} from '../../src/client/node.ts';
import { startInMemoryServer, TOKEN } from './in-memory-services.ts';
import type { InMemoryServer } from './in-memory-services.ts';

const ID = '0198f2a4-0000-7000-8000-000000000001';

/** Every way to leave a field: not to name it, to name nothing, and to say so. */
const left = fc.constantFrom(undefined, leave);
const changeOf = <Value>(value: fc.Arbitrary<Value>) =>
  fc.oneof(
    left,
    value.map((value) => set(value)),
  );
const clearableChangeOf = <Value>(value: fc.Arbitrary<Value>) =>
  fc.oneof(
    left,
    fc.constant(clear),
    value.map((value) => set(value)),
  );

/** What a change of a field puts into the message, as the contract words it. */
function expected<Value>(
  change: ClearableChange<Value> | undefined,
  empty: Value,
): Value | undefined {
  if (change?.kind === 'set') return change.value;
  return change?.kind === 'clear' ? empty : undefined;
}

/** Some clients cannot carry a lone surrogate, so well-formed text it is. */
const text = fc.string({ unit: 'grapheme' });
const domains = fc.uniqueArray(fc.domain(), { minLength: 1, maxLength: 4 });

const ssoChange: fc.Arbitrary<SsoConfigurationChange> = fc.record(
  {
    clientId: changeOf(text),
    clientSecret: changeOf(text),
    issuerUrl: changeOf(fc.webUrl()),
    state: changeOf(
      fc.constantFrom(
        SSOConfigurationState.SSO_CONFIGURATION_STATE_ACTIVE,
        SSOConfigurationState.SSO_CONFIGURATION_STATE_INACTIVE,
      ),
    ),
    claims: fc.oneof(
      fc.constant(undefined),
      fc.dictionary(fc.constantFrom('email', 'name', 'picture', 'groups'), clearableChangeOf(text)),
    ),
    emailDomains: changeOf(domains),
    displayName: clearableChangeOf(text),
    additionalScopes: clearableChangeOf(fc.array(text, { maxLength: 4 })),
    claimsExpression: clearableChangeOf(text),
  },
  { requiredKeys: [] },
);

test('Each combination of leave, set and clear is exactly the message that says it', () => {
  fc.assert(
    fc.property(ssoChange, (change) => {
      const scopes = expected(change.additionalScopes, []);
      const claims = Object.entries(change.claims ?? {}).flatMap(([name, claim]) => {
        const value = expected(claim, '');
        return value === undefined ? [] : [[name, value] as const];
      });
      const message = create(UpdateSSOConfigurationRequestSchema, {
        ssoConfigurationId: ID,
        clientId: expected(change.clientId, ''),
        clientSecret: expected(change.clientSecret, ''),
        issuerUrl: expected(change.issuerUrl, ''),
        state: expected<SSOConfigurationState>(change.state, 0),
        claims: Object.fromEntries(claims),
        emailDomains: [...(expected(change.emailDomains, []) ?? [])],
        displayName: expected(change.displayName, ''),
        additionalScopes: scopes && { scopes: [...scopes] },
        claimsExpression: expected(change.claimsExpression, ''),
      });
      const built = buildUpdateSsoConfigurationRequest(ID, change);
      expect(toBinary(UpdateSSOConfigurationRequestSchema, built)).toEqual(
        toBinary(UpdateSSOConfigurationRequestSchema, message),
      );
    }),
  );
});

test('Nothing but the id is on the wire when everything is left', () => {
  const nothing = toBinary(
    UpdateSSOConfigurationRequestSchema,
    create(UpdateSSOConfigurationRequestSchema, { ssoConfigurationId: ID }),
  );
  const every: SsoConfigurationChange = {
    clientId: leave,
    clientSecret: leave,
    issuerUrl: leave,
    state: leave,
    claims: { email: leave },
    emailDomains: leave,
    displayName: leave,
    additionalScopes: leave,
    claimsExpression: leave,
  };
  for (const change of [{}, every, { displayName: undefined }]) {
    const built = buildUpdateSsoConfigurationRequest(ID, change);
    expect(toBinary(UpdateSSOConfigurationRequestSchema, built)).toEqual(nothing);
  }
});

test('A cleared field survives the wire as present and empty', () => {
  const built = buildUpdateSsoConfigurationRequest(ID, {
    displayName: clear,
    additionalScopes: clear,
    claimsExpression: clear,
    claims: { groups: clear },
  });
  const received = fromBinary(
    UpdateSSOConfigurationRequestSchema,
    toBinary(UpdateSSOConfigurationRequestSchema, built),
  );
  expect(received).toMatchObject({
    displayName: '',
    additionalScopes: { scopes: [] },
    claimsExpression: '',
    claims: { groups: '' },
  });
});

test('Email domains cannot be emptied, and are not silently left', () => {
  expect(() => buildUpdateSsoConfigurationRequest(ID, { emailDomains: set([]) })).toThrow(
    expect.objectContaining({
      name: 'ClaimgateError',
      code: 'invalid_argument',
      violations: [expect.objectContaining({ field: 'email_domains' })],
    }),
  );
});

test('An organization can be renamed, and its invite domains set, cleared or left', () => {
  const change: fc.Arbitrary<OrganizationChange> = fc.record(
    { name: changeOf(text), inviteDomains: clearableChangeOf(domains) },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(change, (change) => {
      const domains = expected(change.inviteDomains, []);
      const message = create(UpdateOrganizationRequestSchema, {
        organizationId: ID,
        name: expected(change.name, ''),
        inviteDomains: domains && { domains: [...domains] },
      });
      const built = buildUpdateOrganizationRequest(ID, change);
      expect(toBinary(UpdateOrganizationRequestSchema, built)).toEqual(
        toBinary(UpdateOrganizationRequestSchema, message),
      );
    }),
  );
});

test('Only fields that can be empty can be cleared', () => {
  expectTypeOf<SsoConfigurationChange['displayName']>().toEqualTypeOf<
    ClearableChange<string> | undefined
  >();
  expectTypeOf<SsoConfigurationChange['clientId']>().toEqualTypeOf<Change<string> | undefined>();
  expectTypeOf(clear).not.toExtend<SsoConfigurationChange['clientSecret']>();
  expectTypeOf(clear).not.toExtend<SsoConfigurationChange['emailDomains']>();
  expectTypeOf(set(1)).not.toExtend<SsoConfigurationChange['displayName']>();
});

describe('Over a server', () => {
  let server: InMemoryServer;

  beforeAll(async () => {
    server = await startInMemoryServer({});
  });

  afterAll(async () => server.stop());

  test('an update arrives as it reads', async () => {
    const client = createClaimgateClient({ baseUrl: server.url, token: TOKEN });
    await updateSsoConfiguration(client, ID, {
      displayName: clear,
      additionalScopes: set(['groups']),
      claimsExpression: leave,
    });
    const [received] = server.updates;
    expect(received).toMatchObject({ displayName: '', additionalScopes: { scopes: ['groups'] } });
    expect(received?.claimsExpression).toBeUndefined();
    expect(received?.clientSecret).toBeUndefined();
  });
});
