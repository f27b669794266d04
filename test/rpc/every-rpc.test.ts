// Every RPC that we serve, through the real server, over every protocol and encoding.
import { createClient } from '@connectrpc/connect';
import type { Interceptor, Transport } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

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
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { startDnsServer } from '../support/start-dns-server.ts';
import type { StartedDnsServer } from '../support/start-dns-server.ts';

let dns: StartedDnsServer;
let claimgate: StartedClaimgate;

beforeAll(async () => {
  dns = await startDnsServer();
  claimgate = await startClaimgate({ CLAIMGATE_DNS_SERVERS: dns.address });
});

afterAll(async () => {
  await claimgate.stop();
  await dns.stop();
});

interface Options {
  readonly baseUrl: string;
  readonly useBinaryFormat: boolean;
  readonly interceptors: Interceptor[];
}

const protocols: Record<string, (options: Options) => Transport> = {
  'Connect on HTTP/1.1': (options) => createConnectTransport({ ...options, httpVersion: '1.1' }),
  'Connect on HTTP/2': (options) => createConnectTransport({ ...options, httpVersion: '2' }),
  'Connect by GET where nothing changes': (options) =>
    createConnectTransport({ ...options, httpVersion: '1.1', useHttpGet: true }),
  'gRPC on HTTP/2': (options) => createGrpcTransport(options),
  'gRPC-Web on HTTP/1.1': (options) => createGrpcWebTransport({ ...options, httpVersion: '1.1' }),
  'gRPC-Web on HTTP/2': (options) => createGrpcWebTransport({ ...options, httpVersion: '2' }),
};

const cases = Object.entries(protocols).flatMap(([protocol, createTransport]) =>
  ['JSON', 'binary'].flatMap((encoding) =>
    ['', '/api'].map((prefix) => ({ protocol, encoding, prefix, createTransport })),
  ),
);

describe.each(cases)(
  '$protocol, $encoding, below "$prefix/"',
  ({ encoding, prefix, createTransport }) => {
    test('every RPC does what it says', async () => {
      const called = new Set<string>();
      const transport = createTransport({
        baseUrl: claimgate.url + prefix,
        useBinaryFormat: encoding === 'binary',
        interceptors: [
          (next) => (request) => {
            called.add(`${request.service.typeName}/${request.method.name}`);
            request.header.set('Authorization', `Bearer ${claimgate.token}`);
            return next(request);
          },
        ],
      });
      await callIdentity(transport);
      await callOrganizations(transport);
      await callSsoConfigurations(transport);
      await callDomainVerifications(transport);
      await callTokens(transport);

      const all = [OrganizationService, IdentityService, UserService].flatMap((service) =>
        service.methods.map((method) => `${service.typeName}/${method.name}`),
      );
      expect([...called].toSorted()).toEqual(all.toSorted());
    });
  },
);

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
