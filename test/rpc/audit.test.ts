// What the audit log holds after whatever was asked, and who may read of it.
import { fromJson } from '@bufbuild/protobuf';
import type { JsonObject } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { createClient } from '@connectrpc/connect';
import type { Client } from '@connectrpc/connect';
import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { AuditService } from '../../gen/claimgate/v1/audit_pb.ts';
import type { AuditRecord } from '../../gen/claimgate/v1/audit_pb.ts';
import { MemberService } from '../../gen/claimgate/v1/member_pb.ts';
import { SSOConfigurationService } from '../../gen/claimgate/v1/sso_configuration_pb.ts';
import { AuditLogEntryKind, EventService, ResourceType } from '../../gen/gitpod/v1/event_pb.ts';
import { Principal } from '../../gen/gitpod/v1/identity_pb.ts';
import { SortOrder } from '../../gen/gitpod/v1/pagination_pb.ts';
import { REFUSAL_LIMITS } from '../../src/domain/refusal-recorder.ts';
import { callJson } from '../support/call-json.ts';
import { createApi, openTransport } from '../support/create-api.ts';
import { openBackstage } from '../support/open-backstage.ts';
import type { Backstage } from '../support/open-backstage.ts';
import { readRefusal } from '../support/read-refusal.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { startDnsServer } from '../support/start-dns-server.ts';
import type { StartedDnsServer } from '../support/start-dns-server.ts';
import { addHome } from './add-home.ts';
import { addAttempt, addLoginHome } from './login-home.ts';
import { isUnary, RPC_CASES } from './rpc-cases.ts';
import type { Targets } from './rpc-cases.ts';

let dns: StartedDnsServer;
let claimgate: StartedClaimgate;
let backstage: Backstage;

beforeAll(async () => {
  dns = await startDnsServer();
  claimgate = await startClaimgate({ CLAIMGATE_DNS_SERVERS: dns.address });
  backstage = await openBackstage(claimgate);
});

afterAll(async () => {
  await backstage.close();
  await claimgate.stop();
  await dns.stop();
});

const open = (token: string) => openTransport(claimgate.url, `Bearer ${token}`, 'connect');
const openAudit = (token: string): Client<typeof AuditService> =>
  createClient(AuditService, open(token));
const openEvents = (token: string): Client<typeof EventService> =>
  createClient(EventService, open(token));

async function readUserId(token: string): Promise<string> {
  const { user } = await createApi(claimgate.url, `Bearer ${token}`).users.getAuthenticatedUser({});
  return user?.id ?? '';
}

/** What this user has left, of any organization, oldest first. */
async function listBy(userId: string): Promise<readonly AuditRecord[]> {
  const { records } = await openAudit(claimgate.token).listAuditRecords({
    filter: { actorIds: [userId] },
    ascending: true,
    pagination: { pageSize: 100 },
  });
  return records;
}

const OTHERS = [...MemberService.methods, ...SSOConfigurationService.methods];

/** Requests of our own services, and those that change something where the usual ones do not. */
const requests: Readonly<Record<string, (targets: Targets) => JsonObject>> = {
  SetRole: ({ organizationId, userId }) => ({
    organizationId,
    userId,
    role: 'ORGANIZATION_ROLE_ADMIN',
  }),
  CreateMember: ({ organizationId }) => ({
    organizationId,
    email: `${newId()}@example.com`,
    role: 'ORGANIZATION_ROLE_MEMBER',
  }),
  SuspendMember: ({ userId }) => ({ userId }),
  ReinstateMember: ({ userId }) => ({ userId }),
  CheckSSOConfiguration: ({ ssoConfigurationId }) => ({ ssoConfigurationId }),
  EvaluateClaims: () => ({ expression: 'true', claimsJson: '{}' }),
  PreviewClaimsExpression: ({ ssoConfigurationId }) => ({
    ssoConfigurationId,
    claimsExpression: 'true',
  }),
  StartTestLogin: ({ ssoConfigurationId }) => ({ ssoConfigurationId }),
  GetTestLogin: () => ({ id: newId(), testLoginId: newId() }),
};

/** They have effects, and change nothing that is kept. */
const CHANGE_NOTHING = new Set(['GetIDToken', 'CheckSSOConfiguration', 'EvaluateClaims']);

const cases = [
  ...RPC_CASES,
  ...OTHERS.filter(isUnary).map((method) => ({ method, describe: () => ({}) })),
].map(({ method, describe }) => ({
  method,
  name: method.name,
  describe: requests[method.name] ?? describe,
}));

describe.each(cases)('$name', ({ method, name, describe }) => {
  test.each(['operator', 'admin', 'reader', 'member', 'colleague', 'foreigner'])(
    'leaves exactly one record of a change and of a refusal, asked by the %s',
    async (caller) => {
      const home = await addHome(claimgate, backstage, dns);
      if (name === 'ReinstateMember') {
        const user = await backstage.store.findUser(home.userId);
        if (user === undefined) throw new Error('no member');
        await backstage.store.transaction((tx) =>
          tx.updateUser({ ...user, status: caller === 'member' ? 'active' : 'suspended' }),
        );
      }
      const token = home.tokens[caller] ?? '';
      const userId = await readUserId(token);
      const before = await listBy(userId);
      const message = fromJson(method.input, describe(home), { ignoreUnknownFields: true });
      const call = open(token).unary(method, undefined, undefined, undefined, message);
      const { code } = await readRefusal(call);
      const records = (await listBy(userId)).slice(before.length);
      if (code === 'permission_denied' || code === 'not_found') {
        expect(records).toMatchObject([{ action: name, count: 1n, changedFields: [] }]);
        expect(records[0]?.reason).toMatch(/^[A-Z_]+$/);
        expect(records[0]?.organizationId).toBe(
          (await backstage.store.findUser(userId))?.organizationId,
        );
        return;
      }
      expect(['ok', 'failed_precondition']).toContain(code);
      const isReading = method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
      if (isReading || CHANGE_NOTHING.has(name)) {
        expect(records).toEqual([]);
        return;
      }
      expect(code).toBe('ok');
      expect(records).toMatchObject([{ reason: '', count: 1n, actorKind: 'token' }]);
      expect(records[0]?.action).toMatch(/^[a-z_]+\.[a-z_]+$/);
      expect(records[0]?.credentialId).not.toBe('');
    },
  );
});

describe('a record', () => {
  test('names the fields that changed, and none of their values', async () => {
    const home = await addHome(claimgate, backstage, dns);
    const { organizations } = createApi(claimgate.url, `Bearer ${home.tokens['admin']}`);
    const { ssoConfigurationId } = home;
    await organizations.updateSSOConfiguration({
      ssoConfigurationId,
      clientSecret: 'a-canary',
      displayName: 'a-canary',
      claims: { name: 'a-canary' },
      state: 1,
    });
    const { records } = await openAudit(home.tokens['admin'] ?? '').listAuditRecords({
      organizationId: home.organizationId,
      filter: { subjectIds: [ssoConfigurationId] },
    });
    expect(records).toMatchObject([
      {
        action: 'sso_configuration.updated',
        changedFields: ['state', 'claims', 'display_name', 'client_secret'],
      },
    ]);
    expect(JSON.stringify(records, (_, value: unknown) => String(value))).not.toContain('canary');
  });

  test('tells a change that was made with the preview enforced from one without', async () => {
    const home = await addHome(claimgate, backstage, dns);
    const { organizations } = createApi(claimgate.url, `Bearer ${home.tokens['admin']}`);
    const change = { ssoConfigurationId: home.ssoConfigurationId, claimsExpression: 'true' };
    const headers = { 'claimgate-preview': 'enforce' };
    await organizations.updateSSOConfiguration(change, { headers });
    await organizations.updateSSOConfiguration({ ...change, claimsExpression: '1 == 1' });
    const { records } = await openAudit(home.tokens['admin'] ?? '').listAuditRecords({
      organizationId: home.organizationId,
    });
    expect(records.map(({ action }) => action)).toEqual([
      'sso_configuration.updated',
      'sso_configuration.updated_guarded',
    ]);
  });

  test('is left by a guard rail', async () => {
    const home = await addHome(claimgate, backstage, dns);
    const admin = home.tokens['admin'] ?? '';
    const userId = await readUserId(admin);
    const { organizations } = createApi(claimgate.url, `Bearer ${admin}`);
    expect(await readRefusal(organizations.leaveOrganization({ userId }))).toMatchObject({
      code: 'failed_precondition',
    });
    expect(await listBy(userId)).toMatchObject([
      { action: 'LeaveOrganization', reason: 'LAST_ADMIN', subjectType: 'user', subjectId: userId },
    ]);
  });

  test('is left by a change that was refused for shutting somebody out', async () => {
    const { configuration, admin } = await addLoginHome(backstage, {
      configurations: [{ claimsExpression: 'true' }],
    });
    const [domain = ''] = configuration.emailDomains;
    const claims = { iss: 'x', sub: 'y', email: `ada@${domain}`, email_verified: true };
    await addAttempt(backstage, configuration, { outcome: 'admitted', at: new Date() }, claims);
    const { organizations } = createApi(claimgate.url, `Bearer ${admin.token}`);
    const change = { ssoConfigurationId: configuration.id, claimsExpression: 'false' };
    const headers = { 'claimgate-preview': 'enforce' };
    expect(
      await readRefusal(organizations.updateSSOConfiguration(change, { headers })),
    ).toMatchObject({ code: 'failed_precondition' });
    expect(await listBy(admin.user.id)).toMatchObject([
      { action: 'UpdateSSOConfiguration', reason: 'WOULD_SHUT_OUT', subjectId: configuration.id },
    ]);
  });

  test.each([
    ['an expired token', 'TOKEN_EXPIRED', 'active', -1],
    ['the token of a suspended user', 'USER_SUSPENDED', 'suspended', 60_000],
    ['the token of a user who has left', 'USER_LEFT', 'left', 60_000],
  ] as const)(
    'is left by %s, by call and by trade for a session',
    async (_, reason, status, ms) => {
      const organizationId = await backstage.addOrganization();
      const { user } = await backstage.addPerson(organizationId, { status });
      const token = await backstage.addToken(user.id, { expiresAt: new Date(Date.now() + ms) });
      for (const { identity } of [1, 2].map(() => createApi(claimgate.url, `Bearer ${token}`))) {
        expect(await readRefusal(identity.getAuthenticatedIdentity({}))).toMatchObject({
          code: 'unauthenticated',
        });
      }
      const answer = await fetch(`${claimgate.url}/session`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, origin: claimgate.url },
      });
      expect(answer.status).toBe(401);
      expect(await listBy(user.id)).toMatchObject([
        { organizationId, action: 'GetAuthenticatedIdentity', reason, actorKind: 'token' },
        { organizationId, action: 'POST /session', reason },
      ]);
    },
  );

  test('is left by nobody whom we do not know', async () => {
    const count = async () =>
      (await openAudit(claimgate.token).listAuditRecords({ pagination: { pageSize: 100 } })).records
        .length;
    const before = await count();
    for (const token of [
      undefined,
      'x',
      `cgpat_${'0'.repeat(48)}`,
      'a-made-up-token-of-some-length',
    ]) {
      await callJson(claimgate.url, 'UserService/GetAuthenticatedUser', {}, { token });
    }
    expect(await count()).toBe(before);
  });

  test('begins and ends with the session of a token', async () => {
    const organizationId = await backstage.addOrganization();
    const { user, token } = await backstage.addPerson(organizationId);
    const origin = claimgate.url;
    const opened = await fetch(`${claimgate.url}/session`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, origin },
    });
    const [cookie = ''] = (opened.headers.get('set-cookie') ?? '').split(';');
    for (const _ of [1, 2]) {
      await fetch(`${claimgate.url}/logout`, { method: 'POST', headers: { cookie, origin } });
    }
    const records = await listBy(user.id);
    expect(records).toMatchObject([
      { action: 'session.began', actorKind: 'token', subjectType: 'user', subjectId: user.id },
      { action: 'session.ended', actorKind: 'token_session', subjectType: 'user' },
    ]);
  });
});

describe('refusals that are repeated', () => {
  test('leave one record for each kind, and so many of them for each caller', async () => {
    const home = await addHome(claimgate, backstage, dns);
    const token = home.tokens['foreigner'] ?? '';
    const { organizations } = createApi(claimgate.url, `Bearer ${token}`);
    for (let count = 0; count < 50; count += 1) {
      await readRefusal(organizations.getOrganization({ organizationId: newId() }));
    }
    const userId = await readUserId(token);
    expect(await listBy(userId)).toMatchObject([{ action: 'GetOrganization' }]);
    for (const { method, describe } of cases) {
      const message = fromJson(method.input, describe(home), { ignoreUnknownFields: true });
      await readRefusal(open(token).unary(method, undefined, undefined, undefined, message));
    }
    const refused = (await listBy(userId)).filter(({ reason }) => reason !== '');
    expect(refused).toHaveLength(REFUSAL_LIMITS.kinds + 1);
    expect(refused.at(-1)).toMatchObject({ action: 'various', reason: 'FURTHER_REFUSALS' });
  });

  test('say the same of an id of another organization and of one that exists nowhere', async () => {
    const victim = await addHome(claimgate, backstage, dns);
    const answers: unknown[] = [];
    for (const ssoConfigurationId of [victim.ssoConfigurationId, newId()]) {
      const home = await addHome(claimgate, backstage, dns);
      const token = home.tokens['foreigner'] ?? '';
      const { organizations } = createApi(claimgate.url, `Bearer ${token}`);
      await readRefusal(organizations.getSSOConfiguration({ ssoConfigurationId }));
      const { entries } = await openEvents(token).listAuditLogs({});
      expect(entries.map(({ subjectId }) => subjectId)).toEqual([ssoConfigurationId]);
      answers.push(entries.map(({ action, kind, subjectType }) => ({ action, kind, subjectType })));
    }
    expect(answers[0]).toEqual(answers[1]);
    const { entries } = await openEvents(victim.tokens['admin'] ?? '').listAuditLogs({});
    expect(entries).toEqual([]);
  });
});

describe('EventService.ListAuditLogs', () => {
  async function prepareLog() {
    const home = await addLoginHome(backstage);
    const { configuration, organizationId, admin, member } = home;
    const { organizations } = createApi(claimgate.url, `Bearer ${admin.token}`);
    await organizations.updateOrganization({ organizationId, name: 'Renamed' });
    await organizations.setRole({ organizationId, userId: member.user.id, role: 1 });
    await readRefusal(organizations.getOrganization({ organizationId: newId() }));
    await addAttempt(backstage, configuration, {
      outcome: 'admitted',
      reason: undefined,
      userId: member.user.id,
      at: new Date(),
    });
    return { ...home, events: openEvents(admin.token) };
  }

  test('tells what was done, refused and signed in, newest first or oldest', async () => {
    const { events, admin, member, configuration, organizationId } = await prepareLog();
    const { entries } = await events.listAuditLogs({});
    const actor = { actorId: admin.user.id, actorPrincipal: Principal.USER };
    const expected = [
      {
        actorId: member.user.id,
        action: 'sign_in',
        subjectType: ResourceType.SSO_CONFIG,
        subjectId: configuration.id,
        kind: AuditLogEntryKind.CREDENTIAL_ACCESS,
      },
      { ...actor, action: 'GetOrganization refused: ORGANIZATION_NOT_FOUND' },
      { ...actor, action: 'user.role_changed', subjectId: member.user.id },
      {
        ...actor,
        action: 'organization.updated',
        subjectType: ResourceType.ORGANIZATION,
        subjectId: organizationId,
        kind: AuditLogEntryKind.RESOURCE_CHANGE,
      },
    ];
    expect(entries).toMatchObject(expected);
    const oldest = await events.listAuditLogs({
      sort: { field: 'created_at', order: SortOrder.ASC },
    });
    expect(oldest.entries).toEqual(entries.toReversed());
    const unknown = events.listAuditLogs({ sort: { field: 'action', order: SortOrder.ASC } });
    expect(await readRefusal(unknown)).toMatchObject({ code: 'invalid_argument' });
  });

  test('is narrowed by all its filters', async () => {
    const { events, admin, member, configuration } = await prepareLog();
    const { entries } = await events.listAuditLogs({});
    const [signIn, refused, changed, renamed] = entries;
    const list = async (filter: Parameters<typeof events.listAuditLogs>[0]['filter']) =>
      (await events.listAuditLogs({ filter: filter ?? {} })).entries;
    expect(await list({ actorIds: [member.user.id.toUpperCase()] })).toEqual([signIn]);
    expect(await list({ actorIds: [admin.user.id] })).toEqual([refused, changed, renamed]);
    expect(await list({ subjectIds: [configuration.id, member.user.id] })).toEqual([
      signIn,
      changed,
    ]);
    expect(await list({ subjectTypes: [ResourceType.USER, ResourceType.AGENT] })).toEqual([
      changed,
    ]);
    expect(await list({ subjectTypes: [ResourceType.AGENT] })).toEqual([]);
    expect(await list({ actorPrincipals: [Principal.USER] })).toEqual(entries);
    expect(await list({ actorPrincipals: [Principal.UNSPECIFIED] })).toEqual([]);
    expect(await list({ actorPrincipals: [Principal.RUNNER] })).toEqual([]);
    const between = { from: changed?.createdAt, to: signIn?.createdAt };
    const within = (await list(between)).map(({ id }) => id);
    expect(within).toContain(changed?.id);
    expect(within).not.toContain(signIn?.id);
    const late = timestampFromDate(new Date(Date.now() + 60_000));
    expect(await list({ from: late })).toEqual([]);
    expect(await list({ from: { ...late, seconds: 253402300799n } })).toEqual([]);
  });

  test('comes in pages, by the body and by the URL, and tokens are of one list alone', async () => {
    const { events, admin, organizationId } = await prepareLog();
    const { entries } = await events.listAuditLogs({});
    const first = await events.listAuditLogs({ pagination: { pageSize: 3 } });
    expect(first.entries).toEqual(entries.slice(0, 3));
    const token = first.pagination?.nextToken ?? '';
    const rest = await events.listAuditLogs({ pagination: { pageSize: 3, token } });
    expect(rest.entries).toEqual(entries.slice(3));
    const query = `?pageSize=3&token=${token}`;
    const byUrl = await callJson(
      claimgate.url,
      'EventService/ListAuditLogs',
      {},
      {
        token: admin.token,
        query,
      },
    );
    expect(byUrl.body).toMatchObject({ entries: [{ id: entries[3]?.id }] });

    // Of another filter, order, list and organization.
    const foreign = await backstage.addPerson(await backstage.addOrganization(), { role: 'admin' });
    const misuses = [
      events.listAuditLogs({ filter: { actorIds: [admin.user.id] }, pagination: { token } }),
      events.listAuditLogs({ sort: { field: '', order: SortOrder.ASC }, pagination: { token } }),
      openEvents(foreign.token).listAuditLogs({ pagination: { token } }),
      openAudit(admin.token).listAuditRecords({ organizationId, pagination: { token } }),
    ];
    for (const misuse of misuses) {
      expect(await readRefusal(misuse)).toMatchObject({ code: 'invalid_argument' });
    }
  });

  test("is empty of other organizations' records, whatever is asked for", async () => {
    const { admin, configuration } = await prepareLog();
    const foreign = await backstage.addPerson(await backstage.addOrganization(), { role: 'admin' });
    const { entries } = await openEvents(foreign.token).listAuditLogs({
      filter: { actorIds: [admin.user.id] },
    });
    expect(entries).toEqual([]);
    const bySubject = await openEvents(foreign.token).listAuditLogs({
      filter: { subjectIds: [configuration.id] },
    });
    expect(bySubject.entries).toEqual([]);
  });
});

describe('AuditService.ListAuditRecords', () => {
  test('is for admins of the organization and for operators', async () => {
    const home = await addHome(claimgate, backstage, dns);
    const { organizationId, tokens } = home;
    const ask = async (caller: string, request: { organizationId?: string }) =>
      (await readRefusal(openAudit(tokens[caller] ?? '').listAuditRecords(request))).code;
    expect(await ask('admin', { organizationId })).toBe('ok');
    expect(await ask('reader', { organizationId })).toBe('ok');
    expect(await ask('member', { organizationId })).toBe('permission_denied');
    expect(await ask('foreigner', { organizationId })).toBe('not_found');
    expect(await ask('foreigner', { organizationId: newId() })).toBe('not_found');
    expect(await ask('admin', {})).toBe('permission_denied');
    expect(await ask('operator', {})).toBe('ok');
    expect(await ask('operator', { organizationId })).toBe('ok');
  });

  test('tells operators of the first start, of keys, and of organizations that are gone', async () => {
    const home = await addHome(claimgate, backstage, dns);
    const { organizations } = createApi(claimgate.url, `Bearer ${claimgate.token}`);
    await organizations.deleteOrganization({ organizationId: home.organizationId });
    const audit = openAudit(claimgate.token);
    const { organizationId } = home;
    const gone = await audit.listAuditRecords({ organizationId });
    expect(gone.records).toMatchObject([{ action: 'organization.deleted', organizationId }]);
    const all = await audit.listAuditRecords({ ascending: true, pagination: { pageSize: 2 } });
    expect(all.records).toMatchObject([
      {
        action: 'server.bootstrapped',
        actorKind: 'system',
        actorId: '',
        organizationId: claimgate.organizationId,
      },
      { action: 'signing_key.created', actorKind: 'system', organizationId: '' },
    ]);
  });
});
