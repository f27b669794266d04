// Every RPC that we serve, through the real server, over every protocol and encoding.
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { createClient } from '@connectrpc/connect';
import type { Transport } from '@connectrpc/connect';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import {
  KeptClaimsState,
  LoginAttemptService,
  LoginOutcome,
} from '../../gen/claimgate/v1/login_attempt_pb.ts';
import { AuditService } from '../../gen/claimgate/v1/audit_pb.ts';
import { MemberService } from '../../gen/claimgate/v1/member_pb.ts';
import { AccountService } from '../../gen/gitpod/v1/account_pb.ts';
import { EventService } from '../../gen/gitpod/v1/event_pb.ts';
import { IdentityService, IDTokenVersion, Principal } from '../../gen/gitpod/v1/identity_pb.ts';
import {
  DomainVerificationState,
  OrganizationRole,
  OrganizationService,
  OrganizationTier,
  SSOConfiguration_ProviderType,
  SSOConfigurationState,
} from '../../gen/gitpod/v1/organization_pb.ts';
import { UserService, UserStatus } from '../../gen/gitpod/v1/user_pb.ts';
import { openBackstage } from '../support/open-backstage.ts';
import type { Backstage } from '../support/open-backstage.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { startDnsServer } from '../support/start-dns-server.ts';
import type { StartedDnsServer } from '../support/start-dns-server.ts';
import { addAttempt, addLoginHome } from './login-home.ts';
import { describeBearer, sendHeaders, TRANSPORTS } from './transports.ts';

let dns: StartedDnsServer;
let claimgate: StartedClaimgate;
let backstage: Backstage;

beforeAll(async () => {
  dns = await startDnsServer();
  claimgate = await startClaimgate({
    CLAIMGATE_DNS_SERVERS: dns.address,
    // So that calls can come from many addresses: what is open to strangers is limited by address.
    CLAIMGATE_TRUSTED_PROXIES: '127.0.0.1',
  });
  backstage = await openBackstage(claimgate);
});

afterAll(async () => {
  await backstage.close();
  await claimgate.stop();
  await dns.stop();
});

const cases = Object.entries(TRANSPORTS)
  .flatMap(([protocol, createTransport]) =>
    ['JSON', 'binary'].flatMap((encoding) =>
      ['', '/api'].map((prefix) => ({ protocol, encoding, prefix, createTransport })),
    ),
  )
  .map((each, index) => ({ ...each, address: `192.0.2.${index + 1}` }));

const SERVICES = [
  AccountService,
  OrganizationService,
  IdentityService,
  UserService,
  LoginAttemptService,
  MemberService,
  EventService,
  AuditService,
];

describe.each(cases)(
  '$protocol, $encoding, below "$prefix/"',
  ({ address, encoding, prefix, createTransport }) => {
    test('every RPC does what it says', async () => {
      const called = new Set<string>();
      const transport = createTransport({
        baseUrl: claimgate.url + prefix,
        useBinaryFormat: encoding === 'binary',
        interceptors: [
          (next) => (request) => {
            called.add(`${request.service.typeName}/${request.method.name}`);
            return next(request);
          },
          sendHeaders({
            ...describeBearer(claimgate.token),
            'x-forwarded-for': address,
          }),
        ],
      });
      await callIdentity(transport);
      await callOrganizations(transport);
      await callSsoConfigurations(transport);
      await callDomainVerifications(transport);
      await callTokens(transport);
      await callAccounts(transport);
      await callMembers(transport);
      await callLoginAttempts(transport);
      await callAudit(transport);

      const all = SERVICES.flatMap((service) =>
        service.methods.map((method) => `${service.typeName}/${method.name}`),
      );
      expect([...called].toSorted()).toEqual(all.toSorted());
    });
  },
);

async function callAudit(transport: Transport): Promise<void> {
  const { organizationId } = claimgate;
  const pagination = { pageSize: 1 };
  const { entries } = await createClient(EventService, transport).listAuditLogs({ pagination });
  expect(entries).toMatchObject([{ actorPrincipal: Principal.USER, createdAt: {} }]);
  const audit = createClient(AuditService, transport);
  const { records } = await audit.listAuditRecords({ organizationId, pagination });
  expect(records).toMatchObject([{ id: entries[0]?.id, actorKind: 'token', organizationId }]);
}

async function callIdentity(transport: Transport): Promise<void> {
  const identity = createClient(IdentityService, transport);
  const users = createClient(UserService, transport);
  const { user } = await users.getAuthenticatedUser({});
  expect(user).toMatchObject({
    name: 'Operator',
    status: UserStatus.ACTIVE,
    organizationId: claimgate.organizationId,
  });
  expect(await identity.getAuthenticatedIdentity({})).toMatchObject({
    subject: { id: user?.id, principal: Principal.USER },
    organizationId: claimgate.organizationId,
    organizationTier: 'ORGANIZATION_TIER_ENTERPRISE',
  });
  const { token } = await identity.getIDToken({
    audience: ['https://api.example.com'],
    version: IDTokenVersion.ID_TOKEN_VERSION_V2,
  });
  expect(decodeJwt(token)).toMatchObject({
    sub: user?.id,
    aud: 'https://api.example.com',
    role: 'admin',
  });
}

async function callOrganizations(transport: Transport): Promise<void> {
  const organizations = createClient(OrganizationService, transport);
  const created = await organizations.createOrganization({
    name: 'Umbrella',
    joinOrganization: true,
  });
  const organizationId = created.organization?.id ?? '';
  expect(created.organization).toMatchObject({
    name: 'Umbrella',
    tier: OrganizationTier.ENTERPRISE,
  });
  expect(created.member).toMatchObject({ role: OrganizationRole.ADMIN, status: UserStatus.ACTIVE });

  await organizations.updateOrganization({
    organizationId,
    name: 'Umbrella Corp',
    inviteDomains: { domains: ['example.com'] },
  });
  const { organization } = await organizations.getOrganization({ organizationId });
  expect(organization).toMatchObject({
    name: 'Umbrella Corp',
    inviteDomains: { domains: ['example.com'] },
  });

  const userId = created.member?.userId ?? '';
  await expect(
    organizations.setRole({ organizationId, userId, role: OrganizationRole.MEMBER }),
  ).rejects.toMatchObject({ rawMessage: expect.stringContaining('last admin') });
  await organizations.setRole({ organizationId, userId, role: OrganizationRole.ADMIN });
  const members = await organizations.listMembers({ organizationId, count: { include: true } });
  expect(members.members.map((member) => member.userId)).toEqual([userId]);
  expect(members.count?.value).toBe(1);
  await expect(organizations.leaveOrganization({ userId })).rejects.toMatchObject({
    rawMessage: expect.stringContaining('last admin'),
  });

  await organizations.deleteOrganization({ organizationId });
  await expect(organizations.getOrganization({ organizationId })).rejects.toMatchObject({
    rawMessage: expect.stringContaining('No such organization'),
  });
}

async function callSsoConfigurations(transport: Transport): Promise<void> {
  const organizations = createClient(OrganizationService, transport);
  const { organizationId } = claimgate;
  const given = {
    clientId: 'client-1',
    issuerUrl: 'https://idp.example.com/',
    emailDomains: ['Example.com', 'example.org'],
    displayName: 'Example',
    additionalScopes: ['groups'],
    claimsExpression: 'claims.email_verified && claims.email.endsWith("@example.com")',
  };
  const created = await organizations.createSSOConfiguration({
    ...given,
    organizationId,
    clientSecret: 'hush',
  });
  const ssoConfigurationId = created.ssoConfiguration?.id ?? '';
  expect(created.ssoConfiguration).toMatchObject({
    ...given,
    organizationId,
    emailDomain: 'Example.com',
    state: SSOConfigurationState.SSO_CONFIGURATION_STATE_ACTIVE,
    providerType: SSOConfiguration_ProviderType.CUSTOM,
  });
  await organizations.updateSSOConfiguration({
    ssoConfigurationId,
    claims: { groups: 'roles' },
    state: SSOConfigurationState.SSO_CONFIGURATION_STATE_INACTIVE,
  });
  const { ssoConfiguration } = await organizations.getSSOConfiguration({ ssoConfigurationId });
  expect(ssoConfiguration).toMatchObject({
    ...given,
    claims: { groups: 'roles' },
    state: SSOConfigurationState.SSO_CONFIGURATION_STATE_INACTIVE,
  });
  const listed = await organizations.listSSOConfigurations({
    organizationId,
    pagination: { pageSize: 100 },
  });
  expect(listed.ssoConfigurations).toContainEqual(ssoConfiguration);
  await organizations.deleteSSOConfiguration({ ssoConfigurationId });
  await expect(organizations.getSSOConfiguration({ ssoConfigurationId })).rejects.toMatchObject({
    rawMessage: expect.stringContaining('No such SSO configuration'),
  });
}

async function callDomainVerifications(transport: Transport): Promise<void> {
  const organizations = createClient(OrganizationService, transport);
  const { organizationId } = claimgate;
  const created = await organizations.createDomainVerification({
    organizationId,
    domain: 'Proof.example.com',
  });
  const { id: domainVerificationId = '', verificationToken = '' } =
    created.domainVerification ?? {};
  expect(created.domainVerification?.state).toBe(DomainVerificationState.PENDING);

  await expect(organizations.verifyDomain({ domainVerificationId })).rejects.toMatchObject({
    rawMessage: expect.stringContaining('_claimgate-challenge.proof.example.com'),
  });
  dns.setTxt('_claimgate-challenge.proof.example.com', [
    'unrelated',
    `claimgate-verification=${verificationToken}`,
  ]);
  const { domainVerification } = await organizations.verifyDomain({ domainVerificationId });
  expect(domainVerification).toMatchObject({
    state: DomainVerificationState.VERIFIED,
    domain: 'Proof.example.com',
  });
  dns.setTxt('_claimgate-challenge.proof.example.com', []);

  expect(
    (await organizations.getDomainVerification({ domainVerificationId })).domainVerification,
  ).toEqual(domainVerification);
  const listed = await organizations.listDomainVerifications({ organizationId });
  expect(listed.domainVerifications).toEqual([domainVerification]);
  await organizations.deleteDomainVerification({ domainVerificationId });
  await expect(organizations.getDomainVerification({ domainVerificationId })).rejects.toMatchObject(
    {
      rawMessage: expect.stringContaining('No such domain verification'),
    },
  );
}

async function callTokens(transport: Transport): Promise<void> {
  const users = createClient(UserService, transport);
  const { user } = await users.getAuthenticatedUser({});
  const userId = user?.id ?? '';
  const { token } = await users.createPersonalAccessToken({
    userId,
    description: 'for the test',
    validFor: { seconds: 60n },
    readOnly: true,
  });
  expect(token).toMatch(/^cgpat_[0-9a-f]{48}$/);
  const { personalAccessTokens } = await users.listPersonalAccessTokens({});
  const pat = personalAccessTokens.find(({ description }) => description === 'for the test');
  expect(pat).toMatchObject({
    userId,
    readOnly: true,
    creator: { id: userId, principal: Principal.USER },
  });
  expect(Number(pat?.expiresAt?.seconds) - Number(pat?.createdAt?.seconds)).toBe(60);
  const personalAccessTokenId = pat?.id ?? '';
  expect((await users.getPersonalAccessToken({ personalAccessTokenId })).pat).toEqual(pat);
  await users.deletePersonalAccessToken({ personalAccessTokenId });
  await expect(users.getPersonalAccessToken({ personalAccessTokenId })).rejects.toMatchObject({
    rawMessage: expect.stringContaining('No such personal access token'),
  });
}

async function callAccounts(transport: Transport): Promise<void> {
  const accounts = createClient(AccountService, transport);
  const { domain, configurations } = await addLoginHome(backstage, {
    configurations: [{ displayName: 'Staff' }, { displayName: '' }],
  });
  const email = `Ada@${domain}`;
  const { loginUrl } = await accounts.getSSOLoginURL({ email });
  expect(loginUrl).toBe(`${claimgate.url}/login?${new URLSearchParams({ email })}`);
  const { logins } = await accounts.listSSOLogins({ email });
  const query = new URLSearchParams({ email });
  expect(logins).toMatchObject([
    {
      displayName: 'Staff',
      loginUrl: `${claimgate.url}/login/${configurations[0]?.id}?${query}`,
    },
    {
      displayName: 'idp.example.com',
      loginUrl: `${claimgate.url}/login/${configurations[1]?.id}?${query}`,
    },
  ]);
  const unknown = { email: 'ada@unknown.example' };
  const rawMessage: unknown = expect.stringContaining('No single sign-on');
  await expect(accounts.getSSOLoginURL(unknown)).rejects.toMatchObject({ rawMessage });
  await expect(accounts.listSSOLogins(unknown)).rejects.toMatchObject({ rawMessage });
}

async function callMembers(transport: Transport): Promise<void> {
  const members = createClient(MemberService, transport);
  const organizations = createClient(OrganizationService, transport);
  const organizationId = await backstage.addOrganization();
  const { member } = await members.createMember({
    organizationId,
    email: 'Ada@example.com',
    fullName: 'Ada',
    role: OrganizationRole.ADMIN,
  });
  expect(member).toMatchObject({
    email: 'Ada@example.com',
    fullName: 'Ada',
    role: OrganizationRole.ADMIN,
    status: UserStatus.ACTIVE,
  });
  const userId = member?.userId ?? '';
  await expect(members.suspendMember({ userId })).rejects.toMatchObject({
    rawMessage: expect.stringContaining('last admin'),
  });
  await backstage.addPerson(organizationId, { role: 'admin' });
  const list = async () =>
    (await organizations.listMembers({ organizationId, filter: { userIds: [userId] } })).members;
  await members.suspendMember({ userId });
  expect(await list()).toMatchObject([{ userId, status: UserStatus.SUSPENDED }]);
  await members.reinstateMember({ userId });
  expect(await list()).toEqual([member]);
}

async function callLoginAttempts(transport: Transport): Promise<void> {
  const attempts = createClient(LoginAttemptService, transport);
  const { organizationId, configuration } = await addLoginHome(backstage);
  const { id, at } = await addAttempt(backstage, configuration, { detail: 'Ünicode \u{1f511}' });
  const { loginAttempts, pagination } = await attempts.listLoginAttempts({
    organizationId,
    filter: { outcome: LoginOutcome.REFUSED, ssoConfigurationId: configuration.id },
  });
  expect(loginAttempts).toMatchObject([
    {
      id,
      organizationId,
      ssoConfigurationId: configuration.id,
      ssoConfigurationRevision: 7n,
      outcome: LoginOutcome.REFUSED,
      stage: 'policy',
      reason: 'rule_refused',
      detail: 'Ünicode \u{1f511}',
      maskedEmail: 'a***@example.com',
      address: '192.0.2.7',
    },
  ]);
  const [attempt] = loginAttempts;
  expect(attempt?.endedAt && timestampDate(attempt.endedAt)).toEqual(at);
  expect(pagination?.nextToken).toBe('');
  const got = await attempts.getLoginAttempt({ loginAttemptId: id });
  expect(got).toMatchObject({
    loginAttempt: attempt,
    claims: { state: KeptClaimsState.NOT_KEPT, json: '' },
  });
}
