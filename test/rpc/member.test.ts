// MemberService: who may call it, members made beforehand, and members kept out.
import { createClient } from '@connectrpc/connect';
import type { Client } from '@connectrpc/connect';
import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { MemberService } from '../../gen/claimgate/v1/member_pb.ts';
import { OrganizationRole, OrganizationService } from '../../gen/gitpod/v1/organization_pb.ts';
import { UserService, UserStatus } from '../../gen/gitpod/v1/user_pb.ts';
import { digestSessionToken } from '../../src/domain/session.ts';
import { createApi } from '../support/create-api.ts';
import { openBackstage } from '../support/open-backstage.ts';
import type { Backstage } from '../support/open-backstage.ts';
import { readRefusal } from '../support/read-refusal.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { addLoginHome, addSession } from './login-home.ts';
import { describeBearer, WIRES } from './transports.ts';
import type { Wire } from './transports.ts';

let claimgate: StartedClaimgate;
let backstage: Backstage;

beforeAll(async () => {
  claimgate = await startClaimgate();
  backstage = await openBackstage(claimgate);
});

afterAll(async () => {
  await backstage.close();
  await claimgate.stop();
});

const [CONNECT] = WIRES;

function openMembers(
  token: string | undefined,
  open = CONNECT?.open,
): Client<typeof MemberService> {
  if (open === undefined) throw new Error('no wire');
  const headers = token === undefined ? {} : describeBearer(token);
  return createClient(MemberService, open(claimgate.url, headers));
}

async function prepareHome() {
  const home = await addLoginHome(backstage);
  const { organizationId, admin, member } = home;
  const foreign = await backstage.addPerson(await backstage.addOrganization(), { role: 'admin' });
  const tokens = {
    operator: claimgate.token,
    admin: admin.token,
    member: member.token,
    reader: await backstage.addToken(admin.user.id, { readOnly: true }),
    foreigner: foreign.token,
    nobody: undefined,
  };
  return { ...home, organizationId, tokens };
}

type Home = Awaited<ReturnType<typeof prepareHome>>;

const describeStatus = async (userId: string): Promise<string | undefined> =>
  (await backstage.store.findUser(userId))?.status;

type Caller = keyof Home['tokens'];

const EXPECTED: readonly [Caller, string][] = [
  ['operator', 'ok'],
  ['admin', 'ok'],
  ['member', 'permission_denied'],
  ['reader', 'permission_denied'],
  ['foreigner', 'not_found'],
  ['nobody', 'unauthenticated'],
];

const CALLS: Readonly<
  Record<string, (members: Client<typeof MemberService>, home: Home) => Promise<unknown>>
> = {
  CreateMember: (members, { organizationId }) =>
    members.createMember({ organizationId, email: `${newId()}@example.com` }),
  SuspendMember: (members, { member }) => members.suspendMember({ userId: member.user.id }),
  ReinstateMember: (members, { member }) => members.reinstateMember({ userId: member.user.id }),
};

describe.each(WIRES)('over $wire', ({ open }: Wire) => {
  test.each(Object.entries(CALLS))('%s is for admins and operators', async (_, call) => {
    for (const [caller, expected] of EXPECTED) {
      const home = await prepareHome();
      const refusal = await readRefusal(call(openMembers(home.tokens[caller], open), home));
      expect([caller, refusal.code]).toEqual([caller, expected]);
      if (expected !== 'ok') expect(await describeStatus(home.member.user.id)).toBe('active');
    }
  });

  test('a member is made, suspended and reinstated, and nothing else of them changes', async () => {
    const { organizationId, admin } = await prepareHome();
    const members = openMembers(admin.token, open);
    const email = `Ada.${newId()}@Example.com`;
    const { member } = await members.createMember({ organizationId, email, fullName: 'Ädä 🚀' });
    expect(member).toMatchObject({
      email,
      fullName: 'Ädä 🚀',
      role: OrganizationRole.MEMBER,
      status: UserStatus.ACTIVE,
      avatarUrl: '',
    });
    const userId = member?.userId ?? '';
    const made = await backstage.store.findUser(userId);
    for (const status of ['suspended', 'suspended', 'active', 'active']) {
      if (status === 'suspended') await members.suspendMember({ userId });
      else await members.reinstateMember({ userId });
      expect(await backstage.store.findUser(userId)).toEqual({ ...made, status });
    }
  });
});

describe('CreateMember', () => {
  test('takes the email for a name, and MEMBER for a role, unless others are given', async () => {
    const { organizationId, admin } = await prepareHome();
    const members = openMembers(admin.token);
    const plain = await members.createMember({ organizationId, email: 'a@example.com' });
    expect(plain.member).toMatchObject({
      fullName: 'a@example.com',
      role: OrganizationRole.MEMBER,
    });
    const given = { email: 'b@example.com', fullName: 'Bob', role: OrganizationRole.ADMIN };
    const full = await members.createMember({ organizationId, ...given });
    expect(full.member).toMatchObject(given);
    const { organizations } = createApi(claimgate.url, `Bearer ${admin.token}`);
    const listed = await organizations.listMembers({ organizationId });
    expect(listed.members).toContainEqual(plain.member);
    expect(listed.members).toContainEqual(full.member);
  });

  test('makes nobody who may sign in without a login: no token, no session, no operator', async () => {
    const { organizationId, admin } = await prepareHome();
    const members = openMembers(admin.token);
    const { member } = await members.createMember({ organizationId, email: 'a@example.com' });
    const userId = member?.userId ?? '';
    expect(await backstage.store.findUser(userId)).toMatchObject({ operator: false });
    const tokens = await backstage.store.listPersonalAccessTokens([userId], { size: 1 });
    expect(tokens.rows).toEqual([]);
  });

  test.each([
    ['a member', 'active'],
    ['somebody suspended', 'suspended'],
    ['somebody who has left', 'left'],
  ] as const)('refuses the email of %s, in any letter case', async (_, status) => {
    const { organizationId, admin } = await prepareHome();
    await backstage.addPerson(organizationId, { email: 'Ada@Example.com', status });
    const members = openMembers(admin.token);
    for (const email of ['Ada@Example.com', 'ada@example.com', 'ADA@EXAMPLE.COM']) {
      const refusal = await readRefusal(members.createMember({ organizationId, email }));
      expect(refusal.code).toBe('already_exists');
      expect(refusal.headers.get('x-should-retry')).toBe('false');
    }
  });

  test('lets another organization have the same email', async () => {
    const [one, other] = [await prepareHome(), await prepareHome()];
    for (const { organizationId, admin } of [one, other]) {
      const email = 'ada@example.com';
      const { member } = await openMembers(admin.token).createMember({ organizationId, email });
      expect(member?.email).toBe(email);
    }
  });

  test('makes one member of an email, also when many ask at once', async () => {
    const { organizationId, admin } = await prepareHome();
    const members = openMembers(admin.token);
    const codes = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        const email = index % 2 === 0 ? 'ada@example.com' : 'ADA@example.com';
        return (await readRefusal(members.createMember({ organizationId, email }))).code;
      }),
    );
    expect(codes.toSorted()).toEqual([...Array<string>(7).fill('already_exists'), 'ok']);
  });

  test.each<[given: Record<string, unknown>, field: string]>([
    [{ email: '' }, 'email'],
    [{ email: 'nobody' }, 'email'],
    [{ email: 'a@localhost' }, 'email'],
    [{ email: 'a@\u212aelvin.example' }, 'email'],
    [{ email: 'a@b@example.com' }, 'email'],
    [{ email: 'Ada <ada@example.com>' }, 'email'],
    [{ email: `${'a'.repeat(300)}@example.com` }, 'email'],
    [{ email: 'a@example.com\n' }, 'email'],
    [{ fullName: 'x'.repeat(257) }, 'full_name'],
    [{ role: 7 }, 'role'],
    [{ organizationId: 'no id' }, 'organization_id'],
  ])('refuses %j by the name of the field', async (given, field) => {
    const { organizationId, admin } = await prepareHome();
    const request = { organizationId, email: 'ada@example.com', ...given };
    const refusal = await readRefusal(openMembers(admin.token).createMember(request));
    expect(refusal).toMatchObject({ code: 'invalid_argument' });
    expect(refusal.fields).toContain(field);
  });
});

describe('SuspendMember', () => {
  test('refuses tokens at once and ends sessions; reinstating revives the tokens alone', async () => {
    const home = await prepareHome();
    const { user, token } = home.member;
    const members = openMembers(home.admin.token);
    const session = await addSession(backstage, home, user);
    const kept = await addSession(backstage, home, home.admin.user);
    const asUser = async (headers: Readonly<Record<string, string>>) => {
      const transport = CONNECT?.open(claimgate.url, headers);
      if (transport === undefined) throw new Error('no wire');
      return (await readRefusal(createClient(UserService, transport).getAuthenticatedUser({})))
        .code;
    };
    const withCookie = {
      cookie: `claimgate-session=${session.token}`,
      'sec-fetch-site': 'same-origin',
    };
    expect(await asUser(describeBearer(token))).toBe('ok');
    expect(await asUser(withCookie)).toBe('ok');

    await members.suspendMember({ userId: user.id });
    expect(await asUser(describeBearer(token))).toBe('unauthenticated');
    expect(await asUser(withCookie)).toBe('unauthenticated');
    const digest = digestSessionToken(session.token);
    expect(await backstage.store.findSessionByDigest(digest)).toBeUndefined();
    expect(await backstage.store.findSessionByDigest(digestSessionToken(kept.token))).toMatchObject(
      { session: kept.session },
    );

    await members.reinstateMember({ userId: user.id });
    expect(await asUser(describeBearer(token))).toBe('ok');
    expect(await asUser(withCookie)).toBe('unauthenticated');
  });

  test('keeps the last active admin, counting neither members nor who is suspended', async () => {
    const home = await prepareHome();
    const { organizationId, admin } = home;
    const members = openMembers(admin.token);
    const second = await backstage.addPerson(organizationId, { role: 'admin' });
    await members.suspendMember({ userId: second.user.id });
    const refusal = await readRefusal(members.suspendMember({ userId: admin.user.id }));
    expect(refusal).toMatchObject({ code: 'failed_precondition' });
    expect(refusal.message).toContain('last admin');
    await members.reinstateMember({ userId: second.user.id });
    // Nothing keeps an admin from suspending themselves, once there is another.
    await members.suspendMember({ userId: admin.user.id });
    expect(await describeStatus(admin.user.id)).toBe('suspended');
    expect((await readRefusal(members.reinstateMember({ userId: admin.user.id }))).code).toBe(
      'unauthenticated',
    );
  });

  test('keeps one admin when all are suspended at once', async () => {
    const { organizationId } = await addLoginHome(backstage);
    const admins = [1, 2, 3].map(() => backstage.addPerson(organizationId, { role: 'admin' }));
    const people = await Promise.all(admins);
    const members = openMembers(claimgate.token);
    const { organizations } = createApi(claimgate.url, `Bearer ${claimgate.token}`);
    const { members: all } = await organizations.listMembers({
      organizationId,
      filter: { roles: [OrganizationRole.ADMIN] },
    });
    const codes = await Promise.all(
      all.map(async ({ userId }) => (await readRefusal(members.suspendMember({ userId }))).code),
    );
    expect(people).toHaveLength(3);
    expect(codes.filter((code) => code === 'ok')).toHaveLength(3);
    expect(codes.filter((code) => code === 'failed_precondition')).toHaveLength(1);
    expect(await backstage.store.countActiveAdmins(organizationId)).toBe(1);
  });

  test('leaves operators to operators', async () => {
    const { organizationId, admin } = await prepareHome();
    const { user } = await backstage.addPerson(organizationId, { operator: true });
    const suspend = { userId: user.id };
    expect(await readRefusal(openMembers(admin.token).suspendMember(suspend))).toMatchObject({
      code: 'permission_denied',
    });
    await openMembers(claimgate.token).suspendMember(suspend);
    expect(await describeStatus(user.id)).toBe('suspended');
  });

  test('keeps the last operator, wherever they are', async () => {
    const { users } = createApi(claimgate.url, `Bearer ${claimgate.token}`);
    const { user } = await users.getAuthenticatedUser({});
    const userId = user?.id ?? '';
    const organizationId = user?.organizationId ?? '';
    await backstage.addPerson(organizationId, { role: 'admin' });
    const members = openMembers(claimgate.token);
    const refusal = await readRefusal(members.suspendMember({ userId }));
    expect(refusal).toMatchObject({ code: 'failed_precondition' });
    expect(refusal.message).toContain('last operator');

    const other = await backstage.addPerson(await backstage.addOrganization(), { operator: true });
    await members.suspendMember({ userId: other.user.id });
    expect(await describeStatus(other.user.id)).toBe('suspended');
    expect((await readRefusal(members.suspendMember({ userId }))).code).toBe('failed_precondition');
  });

  test.each(['suspendMember', 'reinstateMember'] as const)(
    '%s knows nobody who has left, and nobody of elsewhere',
    async (call) => {
      const { organizationId, admin } = await prepareHome();
      const left = await backstage.addPerson(organizationId, { status: 'left' });
      const foreign = await backstage.addPerson(await backstage.addOrganization());
      const answers = await Promise.all(
        [left.user.id, foreign.user.id, newId()].map((userId) =>
          readRefusal(openMembers(admin.token)[call]({ userId })),
        ),
      );
      expect(answers.map(({ code }) => code)).toEqual(Array(3).fill('not_found'));
      expect(new Set(answers.map(({ message }) => message)).size).toBe(1);
      expect(await describeStatus(left.user.id)).toBe('left');
      expect(await describeStatus(foreign.user.id)).toBe('active');
    },
  );

  test.each(['suspendMember', 'reinstateMember'] as const)(
    '%s refuses what is no id',
    async (call) => {
      for (const userId of ['', 'nobody']) {
        const refusal = await readRefusal(openMembers(claimgate.token)[call]({ userId }));
        expect(refusal).toMatchObject({ code: 'invalid_argument', fields: ['user_id'] });
      }
    },
  );

  test('leaves the member in the list, where suspended members are found by their status', async () => {
    const { organizationId, admin, member } = await prepareHome();
    await openMembers(admin.token).suspendMember({ userId: member.user.id });
    const transport = CONNECT?.open(claimgate.url, describeBearer(admin.token));
    if (transport === undefined) throw new Error('no wire');
    const { members } = await createClient(OrganizationService, transport).listMembers({
      organizationId,
      filter: { statuses: [UserStatus.SUSPENDED] },
    });
    expect(members.map(({ userId }) => userId)).toEqual([member.user.id]);
  });
});
