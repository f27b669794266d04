import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import * as browser from '../../src/client/browser.ts';
import * as node from '../../src/client/node.ts';
import type { ClaimgateClient } from '../../src/client/node.ts';
import { LoginOutcome } from '../../gen/claimgate/v1/login_attempt_pb.ts';
import { OrganizationRole } from '../../gen/gitpod/v1/organization_pb.ts';
import { UserStatus } from '../../gen/gitpod/v1/user_pb.ts';
import { describeConfiguration } from '../rpc/sso-configuration-values.ts';
import { openBackstage } from '../support/open-backstage.ts';
import type { Backstage } from '../support/open-backstage.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';

let server: StartedClaimgate;
let backstage: Backstage;

beforeAll(async () => {
  server = await startClaimgate();
  backstage = await openBackstage(server);
});

afterAll(async () => {
  await backstage.close();
  await server.stop();
});

/** An organization with an admin and three refused logins; resolves to their ids, newest first. */
async function prepareAttempts() {
  const organizationId = await backstage.addOrganization();
  const { token } = await backstage.addPerson(organizationId, { role: 'admin' });
  const configuration = describeConfiguration(organizationId);
  const ids = [newId(), newId(), newId()];
  await backstage.store.transaction(async (tx) => {
    await tx.insertSsoConfiguration(configuration, 'hush');
    for (const [index, id] of ids.entries()) {
      const attempt = {
        id,
        organizationId,
        ssoConfigurationId: configuration.id,
        revision: 1,
        outcome: 'refused',
        stage: 'policy',
        reason: 'rule_refused',
        detail: 'The rule is false.',
        maskedEmail: 'a***@example.com',
        address: '192.0.2.7',
        at: new Date(Date.now() + index),
      } as const;
      const retention = { claimsPerConfiguration: 0, maxAgeMs: 60_000 };
      await tx.insertLoginAttempt(attempt, undefined, retention);
    }
  });
  return { organizationId, token, ids: ids.toReversed() };
}

type Make = (options: { baseUrl: string; token: string }) => ClaimgateClient & Partial<Disposable>;

const KINDS: readonly { readonly kind: string; readonly make: Make }[] = [
  { kind: 'node-connect', make: (options) => node.createClaimgateClient(options) },
  {
    kind: 'node-grpc',
    make: (options) => node.createClaimgateClient({ ...options, protocol: 'grpc' }),
  },
  {
    kind: 'node-grpc-web',
    make: (options) => node.createClaimgateClient({ ...options, protocol: 'grpc-web' }),
  },
  { kind: 'browser-connect', make: (options) => browser.createClaimgateClient(options) },
  {
    kind: 'browser-grpc-web',
    make: (options) => browser.createClaimgateClient({ ...options, protocol: 'grpc-web' }),
  },
];

describe.each(KINDS)('Against the real server, $kind', ({ kind, make }) => {
  test.each(['', '/api'])('manages SSO configurations at %j', async (path) => {
    const client = make({ baseUrl: `${server.url}${path}`, token: server.token });
    const { organizationId } = await client.identity.getAuthenticatedIdentity({});
    const ids: string[] = [];
    for (const number of [1, 2, 3]) {
      const { ssoConfiguration } = await client.organizations.createSSOConfiguration({
        organizationId,
        issuerUrl: 'https://idp.example.com',
        clientId: `${kind}${path}-${number}`,
        clientSecret: 'secret',
        displayName: 'before',
        additionalScopes: ['profile'],
        claimsExpression: 'claims.email_verified',
      });
      ids.push(ssoConfiguration?.id ?? '');
    }

    const [first = ''] = ids;
    await node.updateSsoConfiguration(client, first, {
      displayName: node.clear,
      additionalScopes: node.set(['groups']),
      claimsExpression: node.leave,
    });
    const listed: string[] = [];
    const list = node.listAll(
      client.organizations.listSSOConfigurations,
      { organizationId },
      { pageSize: 2 },
    );
    for await (const { id, displayName, additionalScopes, claimsExpression } of list) {
      if (!ids.includes(id)) continue;
      listed.push(id);
      expect({ displayName, additionalScopes, claimsExpression }).toEqual({
        displayName: id === first ? '' : 'before',
        additionalScopes: id === first ? ['groups'] : ['profile'],
        claimsExpression: 'claims.email_verified',
      });
    }
    expect(listed).toEqual(ids);

    for (const ssoConfigurationId of ids) {
      await client.organizations.deleteSSOConfiguration({ ssoConfigurationId });
    }
    await expect(
      client.organizations.getSSOConfiguration({ ssoConfigurationId: first }),
    ).rejects.toMatchObject({ name: 'ClaimgateError', code: 'not_found' });
    client[Symbol.dispose]?.();
  });

  test('makes members, keeps them out, and walks the login attempts of their organization', async () => {
    const { organizationId, token, ids } = await prepareAttempts();
    const client = make({ baseUrl: server.url, token });
    const email = 'ada@example.com';
    const role = OrganizationRole.ADMIN;
    const { member } = await client.members.createMember({ organizationId, email, role });
    expect(member).toMatchObject({ email, role, status: UserStatus.ACTIVE });
    const userId = member?.userId ?? '';
    const readStatus = async () => {
      const listed = node.listAll(client.organizations.listMembers, {
        organizationId,
        filter: { userIds: [userId] },
      });
      for await (const { status } of listed) return status;
      return undefined;
    };
    await client.members.suspendMember({ userId });
    expect(await readStatus()).toBe(UserStatus.SUSPENDED);
    await client.members.reinstateMember({ userId });
    expect(await readStatus()).toBe(UserStatus.ACTIVE);

    const seen: string[] = [];
    const attempts = node.listAll(
      client.loginAttempts.listLoginAttempts,
      { organizationId, filter: { outcome: LoginOutcome.REFUSED } },
      { pageSize: 2 },
    );
    for await (const { id, reason } of attempts) seen.push(`${id} ${reason}`);
    expect(seen).toEqual(ids.map((id) => `${id} rule_refused`));
    client[Symbol.dispose]?.();
  });

  test('throws the violations and the request id of an error', async () => {
    const client = make({ baseUrl: server.url, token: server.token });
    const call = client.organizations.updateSSOConfiguration({
      ssoConfigurationId: 'no-id',
      emailDomains: ['example.com', 'EXAMPLE.com', 'no domain'],
    });
    const requestId: unknown = expect.stringMatching(/^[\w-]{8,}$/);
    await expect(call).rejects.toMatchObject({ code: 'invalid_argument', requestId });
    const error: unknown = await call.catch((reason: unknown) => reason);
    const fields = error instanceof node.ClaimgateError ? error.violations : [];
    expect(fields.map(({ field }) => field)).toEqual(
      expect.arrayContaining(['sso_configuration_id', 'email_domains[2]']),
    );
    client[Symbol.dispose]?.();
  });

  test('is unauthenticated with a made-up token', async () => {
    const client = make({ baseUrl: server.url, token: 'made-up-token-of-this-very-test' });
    await expect(client.users.getAuthenticatedUser({})).rejects.toMatchObject({
      code: 'unauthenticated',
      violations: [],
    });
    client[Symbol.dispose]?.();
  });
});

describe('Over TLS with a certificate authority of your own', () => {
  const certFile = fileURLToPath(new URL('../data/tls/test-only-cert.pem', import.meta.url));
  const keyFile = fileURLToPath(new URL('../data/tls/test-only-key.pem', import.meta.url));
  let secure: StartedClaimgate;

  beforeAll(async () => {
    secure = await startClaimgate({ CLAIMGATE_TLS_CERT: certFile, CLAIMGATE_TLS_KEY: keyFile });
  });

  afterAll(async () => secure.stop());

  test.each(['connect', 'grpc', 'grpc-web'] as const)(
    '%s trusts it when told so, and only then',
    async (protocol) => {
      const options = { baseUrl: secure.url, token: secure.token, protocol };
      using trusting = node.createClaimgateClient({
        ...options,
        tls: { ca: await readFile(certFile) },
      });
      const { organizationId } = await trusting.identity.getAuthenticatedIdentity({});
      expect(organizationId).toBe(secure.organizationId);
      using wary = node.createClaimgateClient(options);
      await expect(wary.identity.getAuthenticatedIdentity({})).rejects.toBeInstanceOf(
        node.ClaimgateError,
      );
    },
  );
});
