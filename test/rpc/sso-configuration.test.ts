// What an SSO configuration's fields mean, and what becomes of them when it is created and updated.
import type { MessageInitShape } from '@bufbuild/protobuf';
import * as fc from 'fast-check';
import { validate, version } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import {
  SSOConfiguration_ProviderType,
  SSOConfigurationState,
} from '../../gen/gitpod/v1/organization_pb.ts';
import type {
  CreateSSOConfigurationRequestSchema,
  SSOConfiguration,
  UpdateSSOConfigurationRequestSchema,
} from '../../gen/gitpod/v1/organization_pb.ts';
import { createApi } from '../support/create-api.ts';
import type { Api } from '../support/create-api.ts';
import { readRefusal, readRefusals } from '../support/read-refusal.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { describeNewConfiguration } from './sso-configuration-values.ts';

type Creation = MessageInitShape<typeof CreateSSOConfigurationRequestSchema>;
type Change = MessageInitShape<typeof UpdateSSOConfigurationRequestSchema>;

let claimgate: StartedClaimgate;
let api: Api['organizations'];

beforeAll(async () => {
  claimgate = await startClaimgate();
  api = createApi(claimgate.url, `Bearer ${claimgate.token}`).organizations;
});

afterAll(() => claimgate.stop());

async function create(given: Creation = {}): Promise<SSOConfiguration> {
  const request = { ...describeNewConfiguration(claimgate.organizationId), ...given };
  const { ssoConfiguration } = await api.createSSOConfiguration(request);
  if (ssoConfiguration === undefined) throw new Error('nothing was created');
  return ssoConfiguration;
}

async function read({ id }: { readonly id: string }): Promise<SSOConfiguration> {
  const { ssoConfiguration } = await api.getSSOConfiguration({ ssoConfigurationId: id });
  if (ssoConfiguration === undefined) throw new Error('nothing was read');
  return ssoConfiguration;
}

/** Creates, updates, and returns what is stored then. */
async function change(given: Creation, changed: Change): Promise<SSOConfiguration> {
  const created = await create(given);
  await api.updateSSOConfiguration({ ssoConfigurationId: created.id, ...changed });
  return read(created);
}

describe('what is created', () => {
  const request = () => describeNewConfiguration(claimgate.organizationId);

  test('is inactive from the start under the header that asks for it', async () => {
    const headers = { 'Claimgate-Initial-State': 'inactive' };
    const { ssoConfiguration } = await api.createSSOConfiguration(request(), { headers });
    const { SSO_CONFIGURATION_STATE_INACTIVE: state } = SSOConfigurationState;
    expect(ssoConfiguration).toMatchObject({ state });
    expect(await read({ id: ssoConfiguration?.id ?? '' })).toMatchObject({ state });
  });

  test.each(['active', 'INACTIVE', 'off'])(
    'is nothing under that header with %s',
    async (value) => {
      const headers = { 'Claimgate-Initial-State': value };
      const refusal = await readRefusal(api.createSSOConfiguration(request(), { headers }));
      expect(refusal).toMatchObject({
        code: 'invalid_argument',
        fields: ['Claimgate-Initial-State'],
      });
    },
  );

  test('is active, of type custom, under a version 7 UUID, and is what Get and List return', async () => {
    const created = await create({ displayName: 'Example' });
    expect(validate(created.id) && version(created.id)).toBe(7);
    expect(created).toMatchObject({
      organizationId: claimgate.organizationId,
      state: SSOConfigurationState.SSO_CONFIGURATION_STATE_ACTIVE,
      providerType: SSOConfiguration_ProviderType.CUSTOM,
      claims: {},
      emailDomain: '',
      emailDomains: [],
      additionalScopes: [],
      claimsExpression: '',
    });
    expect(await read(created)).toEqual(created);
    const { ssoConfigurations } = await api.listSSOConfigurations({
      organizationId: claimgate.organizationId,
      pagination: { pageSize: 100 },
    });
    expect(ssoConfigurations).toContainEqual(created);
  });

  test('is always something new: nothing that exists is changed by a create', async () => {
    const first = await create({ displayName: 'First' });
    const second = await create({ displayName: 'Second', issuerUrl: first.issuerUrl });
    expect(second.id).not.toBe(first.id);
    expect(await read(first)).toEqual(first);
  });

  test('cannot have the issuer and the client id of another one in the organization', async () => {
    const { clientId, issuerUrl } = await create();
    expect(await readRefusal(create({ clientId, issuerUrl }))).toMatchObject({
      code: 'already_exists',
    });
    const other = await create({ clientId, issuerUrl: `${issuerUrl}/other` });
    const taking = { ssoConfigurationId: other.id, issuerUrl };
    expect(await readRefusal(api.updateSSOConfiguration(taking))).toMatchObject({
      code: 'already_exists',
    });
    expect(await read(other)).toEqual(other);
  });

  test('may share issuer, client id and email domain with one of another organization', async () => {
    const { organization } = await api.createOrganization({ name: 'Umbrella' });
    const { clientId, issuerUrl } = await create({ emailDomains: ['shared.example'] });
    const elsewhere = await create({
      organizationId: organization?.id ?? '',
      clientId,
      issuerUrl,
      emailDomains: ['shared.example'],
    });
    expect(elsewhere).toMatchObject({ clientId, issuerUrl, emailDomain: 'shared.example' });
  });

  test('may share its email domain with another one of the same organization', async () => {
    await create({ emailDomains: ['twice.example'] });
    expect(await create({ emailDomains: ['twice.example'] })).toMatchObject({
      emailDomains: ['twice.example'],
    });
  });

  test('of the same at once, exactly one is created', async () => {
    const request = describeNewConfiguration(claimgate.organizationId);
    const attempts = Array.from({ length: 8 }, () => readRefusal(create(request)));
    const codes = (await Promise.all(attempts)).map(({ code }) => code).toSorted();
    expect(codes).toEqual([...Array.from({ length: 7 }, () => 'already_exists'), 'ok']);
  });

  test('comes back byte for byte', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc
          .string({ unit: 'binary', minLength: 1, maxLength: 60 })
          .filter((text) => !text.includes('\0')),
        fc.string({ unit: 'grapheme', maxLength: 60 }).filter((text) => text.length <= 128),
        fc.webPath(),
        async (clientId, displayName, path) => {
          const issuerUrl = `https://IDP.example.com:443${path}`;
          const given = { clientId: `${clientId}${crypto.randomUUID()}`, displayName, issuerUrl };
          const created = await create(given);
          expect(created).toMatchObject(given);
          expect(await read(created)).toMatchObject(given);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('email_domain and email_domains', () => {
  const joined = [
    { given: {}, domains: [] },
    { given: { emailDomain: 'One.example' }, domains: ['One.example'] },
    { given: { emailDomains: ['B.example', 'a.example'] }, domains: ['B.example', 'a.example'] },
    {
      given: { emailDomain: 'c.example', emailDomains: ['b.example', 'a.example'] },
      domains: ['c.example', 'b.example', 'a.example'],
    },
    {
      given: { emailDomain: 'A.example', emailDomains: ['b.example', 'a.EXAMPLE'] },
      domains: ['A.example', 'b.example'],
    },
  ];
  test.each(joined)(
    '$given are created as $domains, the first of which is the single one',
    async ({ given, domains }) => {
      const created = await create(given);
      expect(created).toMatchObject({ emailDomain: domains[0] ?? '', emailDomains: domains });
      expect(await read(created)).toEqual(created);
    },
  );

  const before = { emailDomains: ['old.example', 'older.example'] };
  const updates: { changed: Change; domains: string[] }[] = [
    { changed: {}, domains: before.emailDomains },
    { changed: { emailDomains: [] }, domains: before.emailDomains },
    { changed: { emailDomain: 'New.example' }, domains: ['New.example'] },
    { changed: { emailDomains: ['New.example'] }, domains: ['New.example'] },
    {
      changed: { emailDomain: 'first.example', emailDomains: ['b.example', 'FIRST.example'] },
      domains: ['first.example', 'b.example'],
    },
  ];
  test.each(updates)(
    '$changed makes of old.example and older.example $domains',
    async ({ changed, domains }) => {
      expect(await change(before, changed)).toMatchObject({
        emailDomain: domains[0],
        emailDomains: domains,
      });
    },
  );

  const refused = [
    { given: { emailDomains: ['a.example', 'b.example', 'A.Example'] }, field: 'email_domains' },
    { given: { emailDomains: ['a.example', 'a.example'] }, field: 'email_domains' },
    { given: { emailDomains: ['fine.example', 'no domain'] }, field: 'email_domains[1]' },
    { given: { emailDomain: 'no domain' }, field: 'email_domain' },
    { given: { emailDomain: 'x.y' }, field: 'email_domain' },
    { given: { emailDomain: `${'a'.repeat(64)}.example` }, field: 'email_domain' },
  ];
  test.each(refused)('$given are refused, naming $field', async ({ given, field }) => {
    const refusal = { code: 'invalid_argument', fields: [field] };
    expect(await readRefusal(create(given))).toMatchObject(refusal);
    expect(await readRefusal(change({}, given))).toMatchObject(refusal);
  });
});

describe('an update leaves, sets and clears', () => {
  const full = {
    displayName: 'Before',
    additionalScopes: ['groups', 'offline_access'],
    claimsExpression: 'claims.admin == true',
    emailDomains: ['before.example'],
  };
  const changes: { what: string; changed: Change; becomes: object }[] = [
    { what: 'nothing', changed: {}, becomes: {} },
    { what: 'the client id', changed: { clientId: 'new' }, becomes: { clientId: 'new' } },
    { what: 'the client secret', changed: { clientSecret: 'new' }, becomes: {} },
    {
      what: 'the issuer',
      changed: { issuerUrl: 'https://new.example/' },
      becomes: { issuerUrl: 'https://new.example/' },
    },
    { what: 'the state', changed: { state: 1 }, becomes: { state: 1 } },
    {
      what: 'the display name',
      changed: { displayName: 'After' },
      becomes: { displayName: 'After' },
    },
    {
      what: 'the display name, to none',
      changed: { displayName: '' },
      becomes: { displayName: '' },
    },
    {
      what: 'the scopes',
      changed: { additionalScopes: { scopes: ['roles'] } },
      becomes: { additionalScopes: ['roles'] },
    },
    {
      what: 'the scopes, to none',
      changed: { additionalScopes: {} },
      becomes: { additionalScopes: [] },
    },
    {
      what: 'the claims expression',
      changed: { claimsExpression: 'claims.sub != ""' },
      becomes: { claimsExpression: 'claims.sub != ""' },
    },
    {
      what: 'the claims expression, to none',
      changed: { claimsExpression: '' },
      becomes: { claimsExpression: '' },
    },
  ];
  test.each(changes)('$what, and no other field', async ({ changed, becomes }) => {
    const created = await create(full);
    await api.updateSSOConfiguration({ ssoConfigurationId: created.id, ...changed });
    expect(await read(created)).toEqual({ ...created, ...becomes });
  });

  test('goes from active to inactive and back', async () => {
    const created = await create();
    const { SSO_CONFIGURATION_STATE_INACTIVE: off, SSO_CONFIGURATION_STATE_ACTIVE: on } =
      SSOConfigurationState;
    for (const state of [off, off, on, on]) {
      await api.updateSSOConfiguration({ ssoConfigurationId: created.id, state });
      expect((await read(created)).state).toBe(state);
    }
  });
});

describe('the claims mapping', () => {
  test('merges by key, and an empty value removes the mapping', async () => {
    const created = await create();
    const steps: [Record<string, string>, Record<string, string>][] = [
      [
        { email: 'mail', groups: 'roles' },
        { email: 'mail', groups: 'roles' },
      ],
      [
        { groups: 'memberOf', name: 'cn' },
        { email: 'mail', groups: 'memberOf', name: 'cn' },
      ],
      [{}, { email: 'mail', groups: 'memberOf', name: 'cn' }],
      [
        { email: '', unknown: '' },
        { groups: 'memberOf', name: 'cn' },
      ],
      [{ groups: '', name: '' }, {}],
    ];
    for (const [claims, becomes] of steps) {
      await api.updateSSOConfiguration({ ssoConfigurationId: created.id, claims });
      expect((await read(created)).claims).toEqual(becomes);
    }
  });

  test('takes the names that objects of JavaScript have already as plain keys', async () => {
    const claims = { constructor: 'a', toString: 'b', hasOwnProperty: 'c' };
    expect((await change({}, { claims })).claims).toEqual(claims);
  });

  const refused = [
    { what: 'an empty name', claims: { '': 'x' } },
    { what: 'a name of 129 characters', claims: { ['n'.repeat(129)]: 'x' } },
    { what: 'a claim of 513 characters', claims: { name: 'c'.repeat(513) } },
    {
      what: '65 mappings',
      claims: Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`name${index}`, 'c'])),
    },
  ];
  test.each(refused)('refuses $what', async ({ claims }) => {
    expect(await readRefusal(change({}, { claims }))).toMatchObject({
      code: 'invalid_argument',
      fields: ['claims'],
    });
  });
});

describe('the state', () => {
  test.each([0, 3, -1])('%i is refused in an update, and nothing is changed', async (state) => {
    const created = await create();
    const request = {
      ssoConfigurationId: created.id,
      state: state as SSOConfigurationState,
      displayName: 'changed',
    };
    expect(await readRefusal(api.updateSSOConfiguration(request))).toMatchObject({
      code: 'invalid_argument',
      fields: ['state'],
    });
    expect(await read(created)).toEqual(created);
  });
});

describe('additional scopes', () => {
  const refused = [
    { scopes: [''], index: 0 },
    { scopes: ['fine', 'two words'], index: 1 },
    { scopes: ['quo"te'], index: 0 },
    { scopes: ['back\\slash'], index: 0 },
    { scopes: ['ünicode'], index: 0 },
    { scopes: ['x'.repeat(129)], index: 0 },
  ];
  test.each(refused)('$scopes are refused, naming number $index', async ({ scopes, index }) => {
    expect(await readRefusal(create({ additionalScopes: scopes }))).toMatchObject({
      code: 'invalid_argument',
      fields: [`additional_scopes[${index}]`],
    });
    expect(await readRefusal(change({}, { additionalScopes: { scopes } }))).toMatchObject({
      code: 'invalid_argument',
      fields: [`additional_scopes.scopes[${index}]`],
    });
  });

  test('may be 100, in any characters that a scope may have, and come back in their order', async () => {
    const scopes = Array.from(
      { length: 100 },
      (_, index) => `https://api.example/${99 - index}!~#[]`,
    );
    expect(await create({ additionalScopes: scopes })).toMatchObject({ additionalScopes: scopes });
    expect(await readRefusal(create({ additionalScopes: [...scopes, 'one.more'] }))).toMatchObject({
      code: 'invalid_argument',
      fields: ['additional_scopes'],
    });
  });
});

describe('the issuer', () => {
  const refused = [
    'http://idp.example.com',
    'https://idp.example.com/?tenant=1',
    'https://idp.example.com/#part',
    'https://user:word@idp.example.com',
    'ftp://idp.example.com',
    'idp.example.com',
    '',
  ];
  test.each(refused)('%s is refused', async (issuerUrl) => {
    const refusal = { code: 'invalid_argument', fields: ['issuer_url'] };
    expect(await readRefusal(create({ issuerUrl }))).toMatchObject(refusal);
    expect(await readRefusal(change({}, { issuerUrl }))).toMatchObject(refusal);
  });
});

describe('a claims expression is refused when it is written', () => {
  const refused = [
    { expression: 'claims.email ==', place: 'line 1, column 16', why: 'that does not parse' },
    {
      expression: 'claims.a &&\n  (claims.b',
      place: 'line 2, column 3',
      why: 'that does not parse',
    },
    {
      expression: 'claims.email_verified && unknown',
      place: 'line 1, column 26',
      why: 'with a name that does not exist',
    },
    { expression: '1 + 1', place: 'line 1, column', why: 'that gives a number' },
    { expression: '"true"', place: 'line 1, column 1', why: 'that gives a string' },
  ];
  test.each(refused)('$why: $expression, at $place', async ({ expression, place }) => {
    const created = await create();
    const refusal = {
      code: 'invalid_argument',
      fields: ['claims_expression'],
      message: expect.stringContaining(place),
    };
    expect(await readRefusal(create({ claimsExpression: expression }))).toMatchObject(refusal);
    const request = { ssoConfigurationId: created.id, claimsExpression: expression };
    expect(await readRefusal(api.updateSSOConfiguration(request))).toMatchObject(refusal);
    expect(await read(created)).toEqual(created);
  });

  test('unless its type is known only when someone signs in', async () => {
    expect(await create({ claimsExpression: 'claims.is_admin' })).toMatchObject({
      claimsExpression: 'claims.is_admin',
    });
  });

  test('and a longer one than 4,096 characters', async () => {
    const claimsExpression = `claims.sub == "${'x'.repeat(4096)}"`;
    expect(await readRefusal(create({ claimsExpression }))).toMatchObject({
      code: 'invalid_argument',
      fields: ['claims_expression'],
    });
  });
});

describe('updates at the same time', () => {
  test('of different fields all survive', async () => {
    const created = await create();
    const ssoConfigurationId = created.id;
    const fields: Change[] = [
      { clientId: 'parallel' },
      { issuerUrl: 'https://parallel.example' },
      { state: 1 },
      { displayName: 'Parallel' },
      { additionalScopes: { scopes: ['parallel'] } },
      { claimsExpression: 'claims.parallel == true' },
      { emailDomains: ['parallel.example'] },
      { clientSecret: 'parallel' },
    ];
    const mappings = Array.from({ length: 40 }, (_, index) => ({
      [`name${index}`]: `claim${index}`,
    }));
    const changes = [...fields, ...mappings.map((claims): Change => ({ claims }))];
    await Promise.all(
      changes.map((changed) => api.updateSSOConfiguration({ ssoConfigurationId, ...changed })),
    );
    expect(await read(created)).toEqual({
      ...created,
      clientId: 'parallel',
      issuerUrl: 'https://parallel.example',
      state: 1,
      displayName: 'Parallel',
      additionalScopes: ['parallel'],
      claimsExpression: 'claims.parallel == true',
      emailDomain: 'parallel.example',
      emailDomains: ['parallel.example'],
      claims: Object.assign({}, ...mappings),
    });
  });

  test('of the same field leave one of the two, whole', async () => {
    const created = await create();
    const values = Array.from({ length: 10 }, (_, index) => `v${index}`);
    await Promise.all(
      values.map((value) =>
        api.updateSSOConfiguration({
          ssoConfigurationId: created.id,
          clientId: value,
          displayName: value,
        }),
      ),
    );
    const { clientId, displayName } = await read(created);
    expect(values).toContain(clientId);
    expect(displayName).toBe(clientId);
  });

  test('and a delete: the update is refused or undone, never half there', async () => {
    for (let round = 0; round < 10; round++) {
      const { id: ssoConfigurationId } = await create();
      const [updated] = await Promise.all([
        readRefusal(api.updateSSOConfiguration({ ssoConfigurationId, displayName: 'late' })),
        api.deleteSSOConfiguration({ ssoConfigurationId }),
      ]);
      expect(['ok', 'not_found']).toContain(updated.code);
      expect(await readRefusal(api.getSSOConfiguration({ ssoConfigurationId }))).toMatchObject({
        code: 'not_found',
      });
    }
  });
});

describe('an update that breaks a rule', () => {
  test('changes nothing, and names every broken field', async () => {
    const created = await create();
    const refusal = await readRefusal(
      api.updateSSOConfiguration({
        ssoConfigurationId: created.id,
        displayName: 'changed',
        issuerUrl: 'http://plain.example',
        additionalScopes: { scopes: ['fine', 'not fine'] },
        claimsExpression: '1',
      }),
    );
    expect(refusal.code).toBe('invalid_argument');
    expect(refusal.fields).toEqual([
      'issuer_url',
      'additional_scopes.scopes[1]',
      'claims_expression',
    ]);
    expect(await read(created)).toEqual(created);
  });

  test('does not stop a configuration from being switched off', async () => {
    expect(await change({ displayName: 'x'.repeat(128) }, { state: 1 })).toMatchObject({
      state: 1,
    });
  });
});

test('a deleted configuration is not found, by no RPC', async () => {
  const { id: ssoConfigurationId } = await create();
  await api.deleteSSOConfiguration({ ssoConfigurationId });
  for (const refusal of await readRefusals([
    api.getSSOConfiguration({ ssoConfigurationId }),
    api.updateSSOConfiguration({ ssoConfigurationId }),
    api.deleteSSOConfiguration({ ssoConfigurationId }),
  ])) {
    expect(refusal).toMatchObject({ code: 'not_found' });
  }
});
