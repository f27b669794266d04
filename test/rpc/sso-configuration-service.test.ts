// What an admin asks of a configuration before it shuts anybody out, through the real server, over every protocol.
import { create } from '@bufbuild/protobuf';
import { Code, createClient } from '@connectrpc/connect';
import type { Client, ConnectError } from '@connectrpc/connect';
import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { LoginAttemptService, LoginOutcome } from '../../gen/claimgate/v1/login_attempt_pb.ts';
import {
  CheckOutcome,
  EvaluateClaimsRequestSchema,
  PreviewClaimsExpressionResponseSchema,
  SSOConfigurationService,
  TestLoginState,
} from '../../gen/claimgate/v1/sso_configuration_pb.ts';
import { OrganizationService } from '../../gen/gitpod/v1/organization_pb.ts';
import type { LoginAttempt } from '../../src/domain/login-attempt.ts';
import { openTransport, PROTOCOLS } from '../support/create-api.ts';
import type { Protocol } from '../support/create-api.ts';
import { openBackstage } from '../support/open-backstage.ts';
import type { Backstage } from '../support/open-backstage.ts';
import { readRefusal } from '../support/read-refusal.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { startMisbehavingIdp } from '../support/start-misbehaving-idp.ts';
import type { MisbehavingIdp } from '../support/start-misbehaving-idp.ts';

const RETENTION = { claimsPerConfiguration: 5_000, maxAgeMs: 30 * 24 * 3_600_000 };
const DAY = 24 * 3_600_000;

let idp: MisbehavingIdp;
let claimgate: StartedClaimgate;
let backstage: Backstage;

beforeAll(async () => {
  idp = await startMisbehavingIdp();
  claimgate = await startClaimgate({
    CLAIMGATE_ALLOW_HTTP_ISSUERS: 'true',
    CLAIMGATE_ALLOW_PRIVATE_ISSUERS: 'true',
  });
  backstage = await openBackstage(claimgate);
});

afterAll(async () => {
  await backstage.close();
  await claimgate.stop();
  await idp.stop();
});

interface Home {
  readonly organizationId: string;
  readonly ssoConfigurationId: string;
  readonly token: string;
  readonly sso: Client<typeof SSOConfigurationService>;
  readonly organizations: Client<typeof OrganizationService>;
  readonly attempts: Client<typeof LoginAttemptService>;
}

/** A new organization with an admin and a configuration at the identity provider. */
async function prepareHome(
  protocol: Protocol = 'connect',
  claimsExpression = 'claims.email_verified',
): Promise<Home> {
  const organizationId = await backstage.addOrganization();
  const { token } = await backstage.addPerson(organizationId, { role: 'admin' });
  const transport = openTransport(claimgate.url, `Bearer ${token}`, protocol);
  const organizations = createClient(OrganizationService, transport);
  const { ssoConfiguration } = await organizations.createSSOConfiguration({
    organizationId,
    issuerUrl: idp.issuer,
    clientId: idp.clientId,
    clientSecret: idp.clientSecret,
    emailDomains: ['example.com'],
    claimsExpression,
  });
  return {
    organizationId,
    ssoConfigurationId: ssoConfiguration?.id ?? '',
    token,
    organizations,
    sso: createClient(SSOConfigurationService, transport),
    attempts: createClient(LoginAttemptService, transport),
  };
}

/** An attempt in the past, as a login would have left it. */
async function addAttempts(
  { organizationId, ssoConfigurationId }: Home,
  given: readonly {
    readonly claims: Record<string, unknown> | undefined;
    readonly attempt?: Partial<LoginAttempt>;
  }[],
): Promise<readonly string[]> {
  const made = given.map(({ claims, attempt }) => ({
    claims,
    attempt: {
      id: newId(),
      organizationId,
      ssoConfigurationId,
      revision: 1,
      outcome: 'admitted' as const,
      stage: 'session' as const,
      reason: undefined,
      detail: '',
      maskedEmail: `${JSON.stringify(claims?.['email'] ?? '?').slice(1, 2)}***@example.com`,
      address: '192.0.2.7',
      at: new Date(),
      ...attempt,
    },
  }));
  await backstage.store.transaction(async (tx) => {
    for (const { attempt, claims } of made) await tx.insertLoginAttempt(attempt, claims, RETENTION);
  });
  return made.map(({ attempt }) => attempt.id);
}

function claimsOf(name: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    iss: idp.issuer,
    sub: name,
    email: `${name}@example.com`,
    email_verified: true,
    ...more,
  };
}

describe.each(PROTOCOLS)('over %s', (protocol) => {
  test('a stored configuration is checked, stage by stage', async () => {
    const { sso, ssoConfigurationId, organizationId } = await prepareHome(protocol);
    const report = await sso.checkSSOConfiguration({ ssoConfigurationId });
    expect(report.redirectUri).toBe(`${claimgate.url}/auth/oidc/callback/${organizationId}`);
    expect(report.stages.map(({ name, outcome }) => [name, nameOutcome(outcome)])).toEqual([
      ['issuer', 'PASSED'],
      ['discovery', 'PASSED'],
      ['keys', 'PASSED'],
      ['pkce', 'PASSED'],
      ['scopes', 'WARNED'],
      ['claims', 'WARNED'],
      ['client_authentication', 'PASSED'],
      ['redirect_uri', 'SKIPPED'],
    ]);
    expect(JSON.stringify(report)).not.toContain(idp.clientSecret);
  });

  test('claims are evaluated, mapped and explained', async () => {
    const { sso } = await prepareHome(protocol);
    const answer = await sso.evaluateClaims({
      expression: 'claims.level >= 3 && claims.ratio == 0.5 && "admins" in claims.roles',
      claimsMapping: { email: 'mail', groups: 'roles' },
      claimsJson: '{"mail": "a@example.com", "roles": ["staff"], "level": 3.0, "ratio": 0.5}',
    });
    expect(answer.verdict).toMatchObject({ allowed: false, reason: 'false' });
    expect(answer.explanation?.causes).toMatchObject([
      {
        expression: '"admins" in claims.roles',
        line: 1,
        column: 45,
        seen: [{ expression: 'claims.roles', value: '["staff"]' }],
      },
    ]);
    expect(answer.attributes).toMatchObject({ email: 'a@example.com', groups: ['staff'] });
    expect(answer.attributes?.emailVerified).toBeUndefined();

    const broken = await sso.evaluateClaims({ expression: 'claims.a &&', claimsJson: '{}' });
    expect(broken.verdict).toBeUndefined();
    expect(broken.expressionError).toMatchObject({ line: 1, column: 12 });
  });

  test('an expression is tried on those who have signed in', async () => {
    const home = await prepareHome(protocol);
    const [aliceId] = await addAttempts(home, [
      { claims: claimsOf('alice', { groups: ['staff'] }) },
      { claims: claimsOf('bob', { groups: ['admins'] }) },
    ]);
    const { sso, ssoConfigurationId } = home;
    const preview = await sso.previewClaimsExpression({
      ssoConfigurationId,
      claimsExpression: '"admins" in claims.groups',
    });
    expect(preview).toMatchObject({
      replayedAttempts: 2,
      people: 2,
      shutOutCount: 1,
      letInCount: 0,
      complete: true,
    });
    expect(preview.shutOut).toMatchObject([
      {
        loginAttemptId: aliceId,
        maskedEmail: 'a***@example.com',
        outcome: LoginOutcome.ADMITTED,
        reason: 'rule_refused',
        explanation: { causes: [{ expression: '"admins" in claims.groups', seen: [] }] },
      },
    ]);
    expect(JSON.stringify(preview, stringifyBigInt)).not.toContain('alice');
  });

  test('a change that shuts somebody out is refused with the preview, if that is asked for', async () => {
    const home = await prepareHome(protocol);
    await addAttempts(home, [{ claims: claimsOf('alice') }]);
    const { organizations, ssoConfigurationId } = home;
    const change = { ssoConfigurationId, claimsExpression: 'claims.level > 3' };
    const headers = { 'Claimgate-Preview': 'enforce' };
    const error = await organizations.updateSSOConfiguration(change, { headers }).then(
      () => undefined,
      (reason: ConnectError) => reason,
    );
    expect(error?.code).toBe(Code.FailedPrecondition);
    expect(error?.rawMessage).toContain('would shut out a***@example.com');
    expect(error?.findDetails(PreviewClaimsExpressionResponseSchema)).toMatchObject([
      { shutOutCount: 1, shutOut: [{ maskedEmail: 'a***@example.com' }] },
    ]);
    const { ssoConfiguration } = await organizations.getSSOConfiguration({ ssoConfigurationId });
    expect(ssoConfiguration?.claimsExpression).toBe('claims.email_verified');
    await organizations.updateSSOConfiguration(change);
  });

  test('a test login can be started, and its report read', async () => {
    const { sso, ssoConfigurationId } = await prepareHome(protocol);
    const started = await sso.startTestLogin({ ssoConfigurationId });
    const { testLoginId } = started;
    expect(started.url).toMatch(/\/login\/test\/[\w-]{43}$/);
    expect((await sso.getTestLogin({ testLoginId })).state).toBe(TestLoginState.WAITING);

    const opened = await fetch(started.url, { redirect: 'manual' });
    const cookie = (opened.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    expect((await sso.getTestLogin({ testLoginId })).state).toBe(TestLoginState.OPEN);
    const authorized = await fetch(opened.headers.get('location') ?? '', { redirect: 'manual' });
    const page = await fetch(authorized.headers.get('location') ?? '', { headers: { cookie } });
    expect(await page.text()).toContain('This person would');
    expect(page.headers.get('set-cookie')).toBeNull();
    const { state, report } = await sso.getTestLogin({ testLoginId });
    expect(state).toBe(TestLoginState.OVER);
    expect(report).toMatchObject({ wouldAdmit: true, maskedEmail: 'a***@example.com' });
  });

  test('refusals by the rule are explained in the list of attempts, if that is asked for', async () => {
    const home = await prepareHome(protocol, 'claims.level > 3');
    const refused = { outcome: 'refused', stage: 'policy', reason: 'rule_refused' } as const;
    await addAttempts(home, [
      { claims: claimsOf('alice', { level: 2 }), attempt: refused },
      { claims: undefined, attempt: refused },
      { claims: claimsOf('bob', { level: 5 }) },
    ]);
    const { attempts, organizationId } = home;
    const plain = await attempts.listLoginAttempts({ organizationId });
    expect(plain.loginAttempts.map(({ explanation }) => explanation)).toEqual(
      Array.from({ length: 3 }),
    );
    const explained = await attempts.listLoginAttempts({ organizationId, explain: true });
    const explanations = explained.loginAttempts.flatMap(({ explanation }) => explanation ?? []);
    expect(explanations).toMatchObject([
      { causes: [{ seen: [{ expression: 'claims.level', value: '2' }] }] },
    ]);
  });
});

function nameOutcome(outcome: CheckOutcome): string | undefined {
  return Object.entries(CheckOutcome).find(([, value]) => value === outcome)?.[0];
}

function stringifyBigInt(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

describe('a draft', () => {
  const draftAt = (at: MisbehavingIdp) => ({ issuerUrl: at.issuer, clientId: at.clientId });

  test('of a stored configuration is checked with the stored secret', async () => {
    const { sso, ssoConfigurationId } = await prepareHome();
    const report = await sso.checkSSOConfiguration({ ssoConfigurationId, draft: draftAt(idp) });
    const stage = report.stages.find(({ name }) => name === 'client_authentication');
    expect(stage?.outcome).toBe(CheckOutcome.PASSED);
  });

  test('with another issuer or client id is never sent the stored secret', async () => {
    const { sso, ssoConfigurationId } = await prepareHome();
    const attacker = await startMisbehavingIdp();
    try {
      const report = await sso.checkSSOConfiguration({
        ssoConfigurationId,
        draft: draftAt(attacker),
      });
      const stage = report.stages.find(({ name }) => name === 'client_authentication');
      expect(stage?.outcome).toBe(CheckOutcome.SKIPPED);
      expect(attacker.requests.token).toBe(0);
      expect(attacker.received).toEqual({});
    } finally {
      await attacker.stop();
    }
    const before = idp.requests.token;
    const draft = { ...draftAt(idp), clientId: 'another' };
    await sso.checkSSOConfiguration({ ssoConfigurationId, draft });
    expect(idp.requests.token).toBe(before);
  });

  test('of a new configuration is checked with and without its secret', async () => {
    const { sso, organizationId } = await prepareHome();
    const find = async (clientSecret?: string) => {
      const draft = { ...draftAt(idp), ...(clientSecret !== undefined && { clientSecret }) };
      const { stages } = await sso.checkSSOConfiguration({ organizationId, draft });
      return stages.find(({ name }) => name === 'client_authentication')?.outcome;
    };
    expect(await find()).toBe(CheckOutcome.SKIPPED);
    expect(await find('wrong')).toBe(CheckOutcome.FAILED);
    expect(await find(idp.clientSecret)).toBe(CheckOutcome.PASSED);
  });

  test.each([
    ['issuer_url', { issuerUrl: 'https://idp.example.com/?a=b' }],
    ['claims_expression', { claimsExpression: 'claims.a ==' }],
    ['email_domains', { emailDomains: ['not a domain'] }],
    ['additional_scopes[0]', { additionalScopes: ['two words'] }],
  ])('that could not be stored is refused: %s', async (field, given) => {
    const { sso, organizationId } = await prepareHome();
    const draft = { ...draftAt(idp), ...given };
    const refusal = await readRefusal(sso.checkSSOConfiguration({ organizationId, draft }));
    expect(refusal).toMatchObject({ code: 'invalid_argument' });
    expect(JSON.stringify(refusal)).toContain(field.replace(/\[.*/, ''));
  });

  test('needs to say whose it is', async () => {
    const { sso } = await prepareHome();
    await expect(sso.checkSSOConfiguration({ draft: draftAt(idp) })).rejects.toThrow(
      'organization_id',
    );
    await expect(sso.checkSSOConfiguration({})).rejects.toThrow('sso_configuration_id');
  });
});

describe('a preview', () => {
  test('counts each person once, by what came of them last', async () => {
    const home = await prepareHome();
    await addAttempts(home, [
      { claims: claimsOf('alice', { groups: ['admins'] }) },
      { claims: claimsOf('alice', { groups: ['staff'] }) },
      { claims: claimsOf('bob', { email_verified: false, groups: ['admins'] }) },
      { claims: claimsOf('mallory', { email: 'm@example.net', groups: ['admins'] }) },
      { claims: undefined },
    ]);
    const { sso, ssoConfigurationId } = home;
    const preview = await sso.previewClaimsExpression({
      ssoConfigurationId,
      claimsExpression: '"admins" in claims.groups',
    });
    // Bob's rule would let him in, and his unverified email still keeps him out; mallory's domain keeps her out.
    expect(preview).toMatchObject({
      replayedAttempts: 4,
      people: 3,
      shutOutCount: 1,
      letInCount: 0,
    });
  });

  test('tells who would be let in', async () => {
    const home = await prepareHome('connect', 'claims.level > 3');
    await addAttempts(home, [
      { claims: claimsOf('alice', { level: 2 }), attempt: { outcome: 'refused', stage: 'policy' } },
    ]);
    const { sso, ssoConfigurationId } = home;
    const preview = await sso.previewClaimsExpression({
      ssoConfigurationId,
      claimsExpression: '',
    });
    expect(preview.letIn).toMatchObject([
      { maskedEmail: 'a***@example.com', outcome: LoginOutcome.REFUSED, reason: 'rule_refused' },
    ]);
  });

  test('of an expression that cannot be used names its place', async () => {
    const { sso, ssoConfigurationId } = await prepareHome();
    await expect(
      sso.previewClaimsExpression({ ssoConfigurationId, claimsExpression: 'claims.a =' }),
    ).rejects.toThrow('line 1, column 10');
  });

  test('of a rule that costs all it may ends, and says that it is not complete', async () => {
    const home = await prepareHome();
    const l = Array.from({ length: 1_000 }, () => 1);
    await addAttempts(
      home,
      Array.from({ length: 400 }, (_, index) => ({ claims: claimsOf(`p${index}`, { l }) })),
    );
    const { sso, ssoConfigurationId } = home;
    const preview = await sso.previewClaimsExpression({
      ssoConfigurationId,
      claimsExpression: 'claims.l.exists(x, claims.l.exists(y, claims.l.exists(z, false)))',
    });
    expect(preview.complete).toBe(preview.replayedAttempts === 400);
    expect(preview.shutOutCount).toBe(preview.people);
  });
});

describe('the guard rail', () => {
  const headers = { 'Claimgate-Preview': 'enforce' };

  async function updateGuarded(home: Home, change: object) {
    const { organizations, ssoConfigurationId } = home;
    return readRefusal(
      organizations.updateSSOConfiguration({ ssoConfigurationId, ...change }, { headers }),
    );
  }

  test.each([
    ['a rule', { claimsExpression: 'false' }],
    ['email domains', { emailDomains: ['example.org'] }],
    ['a mapping', { claims: { email: 'mail' } }],
  ])('holds for %s', async (_what, change) => {
    const home = await prepareHome();
    await addAttempts(home, [{ claims: claimsOf('alice') }]);
    expect(await updateGuarded(home, change)).toMatchObject({ code: 'failed_precondition' });
  });

  test.each([
    ['that shuts nobody out', { claimsExpression: 'claims.email.endsWith("@example.com")' }],
    ['of the name', { displayName: 'New' }],
    ['of the client secret', { clientSecret: 'new' }],
  ])('lets a change pass %s', async (_what, change) => {
    const home = await prepareHome();
    await addAttempts(home, [{ claims: claimsOf('alice') }]);
    expect(await updateGuarded(home, change)).toMatchObject({ code: 'ok' });
  });

  test('counts those of 7 days, who got in, and who are in still', async () => {
    const home = await prepareHome();
    const change = { claimsExpression: 'claims.level > 3' };
    await addAttempts(home, [
      { claims: claimsOf('old'), attempt: { at: new Date(Date.now() - 8 * DAY) } },
      { claims: claimsOf('refused'), attempt: { outcome: 'refused', stage: 'person' } },
      { claims: claimsOf('out', { email_verified: false }) },
    ]);
    expect(await updateGuarded(home, change)).toMatchObject({ code: 'ok' });
  });

  test('refuses a rule that cannot be used as that', async () => {
    const home = await prepareHome();
    await addAttempts(home, [{ claims: claimsOf('alice') }]);
    const refusal = await updateGuarded(home, { claimsExpression: 'claims.a &&' });
    expect(refusal).toMatchObject({ code: 'invalid_argument' });
  });

  test('is not passed over for a header that is misspelt', async () => {
    const { organizations, ssoConfigurationId } = await prepareHome();
    const options = { headers: { 'Claimgate-Preview': 'enforced' } };
    const refusal = await readRefusal(
      organizations.updateSSOConfiguration(
        { ssoConfigurationId, claimsExpression: 'false' },
        options,
      ),
    );
    expect(refusal).toMatchObject({ code: 'invalid_argument' });
  });
});

describe('only an admin of the organization', () => {
  const calls: Record<string, (sso: Home['sso'], home: Home) => Promise<unknown>> = {
    CheckSSOConfiguration: (sso, { ssoConfigurationId }) =>
      sso.checkSSOConfiguration({ ssoConfigurationId }),
    'CheckSSOConfiguration of a draft': (sso, { organizationId }) =>
      sso.checkSSOConfiguration({
        organizationId,
        draft: { issuerUrl: idp.issuer, clientId: 'x' },
      }),
    PreviewClaimsExpression: (sso, { ssoConfigurationId }) =>
      sso.previewClaimsExpression({ ssoConfigurationId }),
    StartTestLogin: (sso, { ssoConfigurationId }) => sso.startTestLogin({ ssoConfigurationId }),
    GetTestLogin: async (sso, home) => {
      const { testLoginId } = await home.sso.startTestLogin({
        ssoConfigurationId: home.ssoConfigurationId,
      });
      return sso.getTestLogin({ testLoginId });
    },
  };

  test.each(Object.keys(calls))('may call %s', async (name) => {
    const home = await prepareHome();
    const call = calls[name];
    if (call === undefined) throw new Error(name);
    const ask = async (organizationId: string, role: 'admin' | 'member') => {
      const { token } = await backstage.addPerson(organizationId, { role });
      const transport = openTransport(claimgate.url, `Bearer ${token}`, 'connect');
      const sso = createClient(SSOConfigurationService, transport);
      return readRefusal(call(sso, home));
    };
    expect(await ask(home.organizationId, 'admin')).toMatchObject({ code: 'ok' });
    expect(await ask(home.organizationId, 'member')).toMatchObject({ code: 'permission_denied' });
    const elsewhere = await backstage.addOrganization();
    expect(await ask(elsewhere, 'admin')).toMatchObject({ code: 'not_found' });
  });

  test('may evaluate claims, whatever the organization', async () => {
    const { organizationId } = await prepareHome();
    const { token } = await backstage.addPerson(organizationId, { role: 'member' });
    const transport = openTransport(claimgate.url, `Bearer ${token}`, 'connect');
    const sso = createClient(SSOConfigurationService, transport);
    const sample = create(EvaluateClaimsRequestSchema, { claimsJson: '{}' });
    const refusal = await readRefusal(sso.evaluateClaims(sample));
    expect(refusal).toMatchObject({ code: 'permission_denied' });
  });

  test('may check 20 times a minute', async () => {
    const { sso, organizationId } = await prepareHome();
    const draft = { issuerUrl: 'http://127.0.0.1:9', clientId: 'x' };
    for (let round = 0; round < 20; round += 1) {
      await sso.checkSSOConfiguration({ organizationId, draft });
    }
    const refusal = await readRefusal(sso.checkSSOConfiguration({ organizationId, draft }));
    expect(refusal).toMatchObject({ code: 'resource_exhausted' });
  });
});

test.each(['', '[]', 'null', '"text"', '{', '{"a": 1,}'])(
  'Claims that are no JSON object are refused: %j',
  async (claimsJson) => {
    const { sso } = await prepareHome();
    await expect(sso.evaluateClaims({ claimsJson })).rejects.toThrow('claims_json');
  },
);
