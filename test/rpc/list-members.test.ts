// Which members ListMembers shows, in which order, and how many it counts.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { CountResponseRelation } from '../../gen/gitpod/v1/count_pb.ts';
import {
  ListMembersRequest_SortField as Field,
  OrganizationRole as Role,
} from '../../gen/gitpod/v1/organization_pb.ts';
import { SortOrder as Order } from '../../gen/gitpod/v1/pagination_pb.ts';
import { UserStatus as Status } from '../../gen/gitpod/v1/user_pb.ts';
import { createApi } from '../support/create-api.ts';
import type { Api } from '../support/create-api.ts';
import { describeUser, openBackstage } from '../support/open-backstage.ts';
import type { Backstage } from '../support/open-backstage.ts';
import { readRefusal } from '../support/read-refusal.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';

let claimgate: StartedClaimgate;
let backstage: Backstage;
let api: Api['organizations'];
let organizationId: string;
const ids: Record<string, string> = {};

beforeAll(async () => {
  claimgate = await startClaimgate();
  backstage = await openBackstage(claimgate);
  api = createApi(claimgate.url, `Bearer ${claimgate.token}`).organizations;
  organizationId = await backstage.addOrganization();
  // In the order in which they joined.
  const people = [
    { name: 'Mia', email: 'mia@example.com', role: 'admin', status: 'active' },
    { name: 'ada', email: 'ada@example.org', role: 'member', status: 'active' },
    { name: 'Émile', email: 'emile@example.com', role: 'member', status: 'suspended' },
    { name: 'Zoë', email: 'ZOE@Example.COM', role: 'admin', status: 'suspended' },
    { name: 'Bo_100%', email: 'bo@example.net', role: 'member', status: 'left' },
  ] as const;
  await backstage.store.transaction(async (tx) => {
    for (const [index, person] of people.entries()) {
      const createdAt = new Date(1_800_000_000_000 + index * 1000);
      const user = describeUser(organizationId, {
        ...person,
        createdAt,
        avatarUrl: 'https://a.example/1',
      });
      ids[person.name] = user.id;
      await tx.insertUser(user);
    }
  });
});

afterAll(async () => {
  await backstage.close();
  await claimgate.stop();
});

type Request = Parameters<Api['organizations']['listMembers']>[0];

async function list(request: Request): Promise<string[]> {
  const { members } = await api.listMembers({ ...request, organizationId });
  return members.map(({ fullName }) => fullName);
}

test('shows of a member what is known', async () => {
  const { members, count } = await api.listMembers({ organizationId });
  expect(members[2]).toMatchObject({
    userId: ids['Émile'],
    fullName: 'Émile',
    email: 'emile@example.com',
    avatarUrl: 'https://a.example/1',
    role: Role.MEMBER,
    status: Status.SUSPENDED,
    loginProvider: 'token',
    memberSince: { seconds: 1_800_000_002n, nanos: 0 },
  });
  expect(count).toBeUndefined();
});

const everybody = ['Mia', 'ada', 'Émile', 'Zoë', 'Bo_100%'];

describe('sorted', () => {
  // By the letters' code points, which databases agree on: what is beyond ASCII comes last.
  const byName = ['ada', 'Bo_100%', 'Mia', 'Zoë', 'Émile'];
  const sorts: [what: string, sort: Request['sort'], names: string[]][] = [
    ['by when they joined unless asked', undefined, everybody],
    ['by when they joined', { field: Field.DATE_JOINED, order: Order.ASC }, everybody],
    [
      'by when they joined, the newest first',
      { field: Field.DATE_JOINED, order: Order.DESC },
      everybody.toReversed(),
    ],
    ['the newest first, by no field', { order: Order.DESC }, everybody.toReversed()],
    ['by name, whatever the letter case', { field: Field.NAME }, byName],
    ['by name, from behind', { field: Field.NAME, order: Order.DESC }, byName.toReversed()],
  ];
  test.each(sorts)('%s', async (_, sort, names) => {
    const request = sort === undefined ? {} : { sort };
    expect(await list(request)).toEqual(names);
    const pages: string[] = [];
    for (let token = ''; pages.length < 10;) {
      const page = await api.listMembers({
        ...request,
        organizationId,
        pagination: { pageSize: 2, token },
      });
      pages.push(...page.members.map(({ fullName }) => fullName));
      token = page.pagination?.nextToken ?? '';
      if (token === '') break;
    }
    expect(pages).toEqual(names);
  });
});

describe('filtered and counted', () => {
  const filters: [what: string, filter: NonNullable<Request['filter']>, names: string[]][] = [
    ['by nothing', {}, everybody],
    ['by a part of the name', { search: 'mi' }, ['Mia', 'Émile']],
    ['by a part of the name in another letter case', { search: 'ADA' }, ['ada']],
    ['by a letter with an accent in another letter case', { search: 'éM' }, ['Émile']],
    ['by a part of the email', { search: 'example.com' }, ['Mia', 'Émile', 'Zoë']],
    ['by what is a wildcard elsewhere', { search: '%' }, ['Bo_100%']],
    ['by another wildcard', { search: 'o_1' }, ['Bo_100%']],
    ['by a quote', { search: "'" }, []],
    ['by one state', { statuses: [Status.ACTIVE] }, ['Mia', 'ada']],
    ['by two states', { statuses: [Status.SUSPENDED, Status.LEFT] }, ['Émile', 'Zoë', 'Bo_100%']],
    ['by role', { roles: [Role.ADMIN] }, ['Mia', 'Zoë']],
    ['by all of these', { roles: [Role.ADMIN], statuses: [Status.ACTIVE], search: 'm' }, ['Mia']],
    [
      'by groups, of which there are none',
      { excludeGroupIds: ['018f0000-0000-7000-8000-000000000000'], excludeMembersInAnyTeam: true },
      everybody,
    ],
  ];
  test.each(filters)('%s', async (_, filter, names) => {
    const answer = await api.listMembers({
      organizationId,
      filter,
      count: { include: true },
      pagination: { pageSize: 1 },
    });
    expect(answer.count).toMatchObject({ value: names.length, relation: CountResponseRelation.EQ });
    expect(answer.members).toHaveLength(Math.min(names.length, 1));
    expect(await list({ filter })).toEqual(names);
  });

  test('by ids', async () => {
    const userIds = [ids['Zoë'] ?? '', ids['Mia'] ?? '', '018f0000-0000-7000-8000-000000000000'];
    expect(await list({ filter: { userIds } })).toEqual(['Mia', 'Zoë']);
    const { members } = await api.listMembers({
      organizationId: claimgate.organizationId,
      filter: { userIds },
    });
    expect(members).toEqual([]);
  });

  const refused: [what: string, filter: NonNullable<Request['filter']>, field: string][] = [
    [
      'a state that is not known',
      { statuses: [Status.ACTIVE, Status.UNSPECIFIED] },
      'filter.statuses[1]',
    ],
    ['a role that is not known', { roles: [Role.UNSPECIFIED] }, 'filter.roles[0]'],
    ['what is no id', { userIds: ['x'] }, 'filter.user_ids[0]'],
    [
      'more than 25 ids',
      { userIds: Array.from({ length: 26 }, () => '018f0000-0000-7000-8000-000000000000') },
      'filter.user_ids',
    ],
    ['a search of 257 characters', { search: 'x'.repeat(257) }, 'filter.search'],
  ];
  test.each(refused)('%s is refused', async (_, filter, field) => {
    expect(await readRefusal(api.listMembers({ organizationId, filter }))).toMatchObject({
      code: 'invalid_argument',
      fields: [field],
    });
  });
});

test('a page token is good for the same filter and sort alone', async () => {
  const request = { organizationId, filter: { search: 'e' }, sort: { field: Field.NAME } };
  const { pagination } = await api.listMembers({ ...request, pagination: { pageSize: 1 } });
  const token = pagination?.nextToken ?? '';
  await api.listMembers({ ...request, pagination: { token, pageSize: 3 } });
  for (const other of [
    { filter: { search: 'x' } },
    { filter: { search: 'e', roles: [Role.ADMIN] } },
    { sort: { field: Field.DATE_JOINED } },
    { sort: { field: Field.NAME, order: Order.DESC } },
    { organizationId: claimgate.organizationId },
  ]) {
    const call = api.listMembers({ ...request, ...other, pagination: { token } });
    expect(await readRefusal(call)).toMatchObject({
      code: 'invalid_argument',
      fields: ['pagination.token'],
    });
  }
});
