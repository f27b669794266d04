// What becomes of organizations and of the people in them.
import { validate, version } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { OrganizationRole as Role, OrganizationTier } from '../../gen/gitpod/v1/organization_pb.ts';
import { UserStatus } from '../../gen/gitpod/v1/user_pb.ts';
import { createApi } from '../support/create-api.ts';
import type { Api } from '../support/create-api.ts';
import { openBackstage } from '../support/open-backstage.ts';
import type { Backstage, Person } from '../support/open-backstage.ts';
import { readRefusal, readRefusals } from '../support/read-refusal.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { describeNewConfiguration } from './sso-configuration-values.ts';

let claimgate: StartedClaimgate;
let backstage: Backstage;
let operator: Api;

beforeAll(async () => {
  claimgate = await startClaimgate();
  backstage = await openBackstage(claimgate);
  operator = createApi(claimgate.url, `Bearer ${claimgate.token}`);
});

afterAll(async () => {
  await backstage.close();
  await claimgate.stop();
});

const actAs = ({ token }: Person): Api => createApi(claimgate.url, `Bearer ${token}`);

async function prepare(): Promise<{ organizationId: string; admin: Person; member: Person }> {
  const organizationId = await backstage.addOrganization();
  const admin = await backstage.addPerson(organizationId, { role: 'admin' });
  const member = await backstage.addPerson(organizationId);
  return { organizationId, admin, member };
}

describe('CreateOrganization', () => {
  test('makes an organization without members', async () => {
    const { organization, member } = await operator.organizations.createOrganization({
      name: '  Umbrella  ',
    });
    const id = organization?.id ?? '';
    expect(validate(id) && version(id)).toBe(7);
    expect(organization).toMatchObject({
      name: '  Umbrella  ',
      tier: OrganizationTier.ENTERPRISE,
      inviteDomains: { domains: [] },
    });
    expect(organization?.updatedAt).toEqual(organization?.createdAt);
    expect(member).toBeUndefined();
    const { members } = await operator.organizations.listMembers({ organizationId: id });
    expect(members).toEqual([]);
    const read = await operator.organizations.getOrganization({ organizationId: id });
    expect(read.organization).toEqual(organization);
  });

  test('makes the caller its first admin, as another user, when asked to', async () => {
    const { user: self } = await operator.users.getAuthenticatedUser({});
    const { organization, member } = await operator.organizations.createOrganization({
      name: 'Umbrella',
      joinOrganization: true,
    });
    expect(member).toMatchObject({
      fullName: self?.name,
      email: self?.email,
      role: Role.ADMIN,
      status: UserStatus.ACTIVE,
    });
    expect(member?.userId).not.toBe(self?.id);
    const organizationId = organization?.id ?? '';
    const { members } = await operator.organizations.listMembers({ organizationId });
    expect(members).toEqual([member]);
  });

  test('puts the domain of the caller’s email on its invite list when asked to, if there is one', async () => {
    const boss = await backstage.addPerson(claimgate.organizationId, {
      operator: true,
      email: 'Boss@Example.COM',
    });
    const request = { name: 'Umbrella', inviteAccountsWithMatchingDomain: true };
    const { organization } = await actAs(boss).organizations.createOrganization(request);
    expect(organization?.inviteDomains?.domains).toEqual(['example.com']);
    const without = await operator.organizations.createOrganization(request);
    expect(without.organization?.inviteDomains?.domains).toEqual([]);
    await operator.organizations.leaveOrganization({ userId: boss.user.id });
  });

  test('makes two of the same name when called twice', async () => {
    const [one, two] = await Promise.all([
      operator.organizations.createOrganization({ name: 'Twin' }),
      operator.organizations.createOrganization({ name: 'Twin' }),
    ]);
    expect(one.organization?.id).not.toBe(two.organization?.id);
  });

  const names = [
    { name: 'abc', fits: true },
    { name: '🏢🏢🏢', fits: true },
    { name: 'x'.repeat(200), fits: true },
    { name: 'x'.repeat(201), fits: false },
    { name: 'ab', fits: false },
    { name: '  ab  ', fits: false },
    { name: '', fits: false },
  ];
  test.each(names)('takes the name "$name": $fits', async ({ name, fits }) => {
    const created = await readRefusal(operator.organizations.createOrganization({ name }));
    expect([created.code, created.fields]).toEqual(
      fits ? ['ok', []] : ['invalid_argument', ['name']],
    );
  });
});

describe('UpdateOrganization', () => {
  test('leaves, sets and clears each field', async () => {
    const { organizationId, admin } = await prepare();
    const { organizations } = actAs(admin);
    const steps = [
      { change: { name: 'First' }, name: 'First', domains: [] },
      {
        change: { inviteDomains: { domains: ['A.example'] } },
        name: 'First',
        domains: ['A.example'],
      },
      { change: {}, name: 'First', domains: ['A.example'] },
      { change: { name: 'Second' }, name: 'Second', domains: ['A.example'] },
      { change: { inviteDomains: {} }, name: 'Second', domains: [] },
    ];
    for (const { change, name, domains } of steps) {
      const { organization } = await organizations.updateOrganization({
        organizationId,
        ...change,
      });
      expect(organization).toMatchObject({ name, inviteDomains: { domains } });
      const read = await organizations.getOrganization({ organizationId });
      expect(read.organization).toEqual(organization);
    }
  });

  test('refuses an empty name and what is no domain', async () => {
    const { organizationId } = await prepare();
    for (const [change, field] of [
      [{ name: '' }, 'name'],
      [{ inviteDomains: { domains: ['no domain'] } }, 'invite_domains.domains[0]'],
    ] as const) {
      const call = operator.organizations.updateOrganization({
        organizationId,
        ...change,
      } as never);
      expect(await readRefusal(call)).toMatchObject({ code: 'invalid_argument', fields: [field] });
    }
  });

  test('of two at the same time on different fields both survive', async () => {
    const { organizationId } = await prepare();
    const { organizations } = operator;
    await Promise.all([
      organizations.updateOrganization({ organizationId, name: 'Both' }),
      organizations.updateOrganization({
        organizationId,
        inviteDomains: { domains: ['b.example'] },
      }),
    ]);
    const { organization } = await organizations.getOrganization({ organizationId });
    expect(organization).toMatchObject({ name: 'Both', inviteDomains: { domains: ['b.example'] } });
  });
});

describe('the last admin', () => {
  test('can be neither demoted nor removed, by nobody', async () => {
    const { organizationId, admin } = await prepare();
    const userId = admin.user.id;
    for (const { organizations } of [actAs(admin), operator]) {
      for (const refusal of await readRefusals([
        organizations.setRole({ organizationId, userId, role: Role.MEMBER }),
        organizations.leaveOrganization({ userId }),
      ])) {
        expect(refusal).toMatchObject({ code: 'failed_precondition' });
      }
    }
    expect((await actAs(admin).users.getAuthenticatedUser({})).user?.status).toBe(
      UserStatus.ACTIVE,
    );
  });

  test('is the last one also where the other admins are suspended', async () => {
    const { organizationId, admin } = await prepare();
    await backstage.addPerson(organizationId, { role: 'admin', status: 'suspended' });
    const call = actAs(admin).organizations.leaveOrganization({ userId: admin.user.id });
    expect(await readRefusal(call)).toMatchObject({ code: 'failed_precondition' });
  });

  test('stays when two admins demote each other, or leave, at the same time', async () => {
    for (let round = 0; round < 5; round++) {
      const { organizationId, admin } = await prepare();
      const other = await backstage.addPerson(organizationId, { role: 'admin' });
      const results = await Promise.all([
        readRefusal(
          actAs(admin).organizations.setRole({
            organizationId,
            userId: other.user.id,
            role: Role.MEMBER,
          }),
        ),
        readRefusal(actAs(other).organizations.leaveOrganization({ userId: other.user.id })),
        readRefusal(actAs(admin).organizations.leaveOrganization({ userId: admin.user.id })),
      ]);
      expect(results.map(({ code }) => code)).toContain('ok');
      const { members } = await operator.organizations.listMembers({
        organizationId,
        filter: { roles: [Role.ADMIN], statuses: [UserStatus.ACTIVE] },
      });
      expect(members).toHaveLength(1);
    }
  });

  test('may go once there is another', async () => {
    const { organizationId, admin, member } = await prepare();
    const { organizations } = actAs(admin);
    await organizations.setRole({ organizationId, userId: member.user.id, role: Role.ADMIN });
    await organizations.leaveOrganization({ userId: admin.user.id });
    const { members } = await actAs(member).organizations.listMembers({
      organizationId,
      filter: { statuses: [UserStatus.ACTIVE] },
    });
    expect(members).toMatchObject([{ userId: member.user.id, role: Role.ADMIN }]);
  });
});

describe('SetRole', () => {
  test('refuses a role that is not known, and people who are not there', async () => {
    const { organizationId, member } = await prepare();
    const userId = member.user.id;
    const { organizations } = operator;
    const known = organizations.setRole({ organizationId, userId, role: Role.UNSPECIFIED });
    expect(await readRefusal(known)).toMatchObject({ code: 'invalid_argument', fields: ['role'] });
    await organizations.leaveOrganization({ userId });
    for (const refusal of await readRefusals([
      organizations.setRole({ organizationId, userId, role: Role.ADMIN }),
      organizations.setRole({ organizationId, userId: organizationId, role: Role.ADMIN }),
    ])) {
      expect(refusal).toMatchObject({ code: 'not_found' });
    }
  });

  test('may be called twice', async () => {
    const { organizationId, member } = await prepare();
    const request = { organizationId, userId: member.user.id, role: Role.ADMIN };
    await operator.organizations.setRole(request);
    await operator.organizations.setRole(request);
    expect(
      (await actAs(member).organizations.listSSOConfigurations({ organizationId })).pagination,
    ).toBeDefined();
  });
});

describe('LeaveOrganization', () => {
  test('ends all tokens of the one who leaves, who is shown as having left', async () => {
    const { organizationId, admin, member } = await prepare();
    const second = await backstage.addToken(member.user.id, {});
    await actAs(member).organizations.leaveOrganization({ userId: member.user.id });
    for (const token of [member.token, second]) {
      const { users } = createApi(claimgate.url, `Bearer ${token}`);
      expect(await readRefusal(users.getAuthenticatedUser({}))).toMatchObject({
        code: 'unauthenticated',
      });
    }
    const { members } = await actAs(admin).organizations.listMembers({
      organizationId,
      filter: { userIds: [member.user.id] },
    });
    expect(members).toMatchObject([{ status: UserStatus.LEFT, role: Role.MEMBER }]);
    const { personalAccessTokens } = await operator.users.listPersonalAccessTokens({
      filter: { userIds: [member.user.id] },
    });
    expect(personalAccessTokens).toEqual([]);
    const again = operator.organizations.leaveOrganization({ userId: member.user.id });
    expect(await readRefusal(again)).toMatchObject({ code: 'not_found' });
  });

  test('makes it impossible to create tokens for the one who left', async () => {
    const { member } = await prepare();
    await operator.organizations.leaveOrganization({ userId: member.user.id });
    const call = operator.users.createPersonalAccessToken({ userId: member.user.id });
    expect(await readRefusal(call)).toMatchObject({ code: 'not_found' });
  });
});

describe('an operator', () => {
  test('is taken out by operators alone, also where they are not the last', async () => {
    const { organizationId, admin } = await prepare();
    const other = await backstage.addPerson(organizationId, { operator: true });
    const leave = { userId: other.user.id };
    expect(await readRefusal(actAs(admin).organizations.leaveOrganization(leave))).toMatchObject({
      code: 'permission_denied',
    });
    await operator.organizations.leaveOrganization(leave);
  });
});

describe('the last operator', () => {
  test('can neither leave nor be deleted with the organization', async () => {
    const { user } = await operator.users.getAuthenticatedUser({});
    await backstage.addPerson(claimgate.organizationId, { role: 'admin' });
    for (const refusal of await readRefusals([
      operator.organizations.leaveOrganization({ userId: user?.id ?? '' }),
      operator.organizations.deleteOrganization({ organizationId: claimgate.organizationId }),
    ])) {
      expect(refusal).toMatchObject({
        code: 'failed_precondition',
        message: expect.stringContaining('operator'),
      });
    }
    expect((await operator.users.getAuthenticatedUser({})).user).toEqual(user);
  });

  test('is the last one also where the others are suspended', async () => {
    const elsewhere = await backstage.addOrganization();
    await backstage.addPerson(elsewhere, { operator: true, status: 'suspended' });
    const call = operator.organizations.deleteOrganization({
      organizationId: claimgate.organizationId,
    });
    expect(await readRefusal(call)).toMatchObject({ code: 'failed_precondition' });
  });
});

describe('DeleteOrganization', () => {
  test('deletes all that it owns, and nothing of others', async () => {
    const { organizationId, admin, member } = await prepare();
    const { organizations, users } = actAs(admin);
    const { ssoConfiguration } = await organizations.createSSOConfiguration(
      describeNewConfiguration(organizationId),
    );
    const { domainVerification } = await organizations.createDomainVerification({
      organizationId,
      domain: 'gone.example',
    });
    const { personalAccessTokens } = await users.listPersonalAccessTokens({});
    const neighbour = await prepare();
    const kept = await operator.organizations.createSSOConfiguration(
      describeNewConfiguration(neighbour.organizationId),
    );

    await organizations.deleteOrganization({ organizationId });
    for (const person of [admin, member]) {
      expect(await readRefusal(actAs(person).users.getAuthenticatedUser({}))).toMatchObject({
        code: 'unauthenticated',
      });
    }
    const gone = [
      operator.organizations.getOrganization({ organizationId }),
      operator.organizations.deleteOrganization({ organizationId }),
      operator.organizations.listMembers({ organizationId }),
      operator.organizations.listSSOConfigurations({ organizationId }),
      operator.organizations.createSSOConfiguration(describeNewConfiguration(organizationId)),
      operator.organizations.getSSOConfiguration({
        ssoConfigurationId: ssoConfiguration?.id ?? '',
      }),
      operator.organizations.getDomainVerification({
        domainVerificationId: domainVerification?.id ?? '',
      }),
      operator.users.getPersonalAccessToken({
        personalAccessTokenId: personalAccessTokens[0]?.id ?? '',
      }),
      operator.users.createPersonalAccessToken({ userId: member.user.id }),
      operator.users.listPersonalAccessTokens({ filter: { userIds: [member.user.id] } }),
    ];
    for (const { code } of await readRefusals(gone)) expect(code).toBe('not_found');
    const { ssoConfiguration: still } = await actAs(
      neighbour.admin,
    ).organizations.getSSOConfiguration({
      ssoConfigurationId: kept.ssoConfiguration?.id ?? '',
    });
    expect(still).toEqual(kept.ssoConfiguration);
  });
});
