import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MemberQuery, User } from '../../../src/domain/organization.ts';
import type { Cursor, Page, PageRequest } from '../../../src/domain/page.ts';
import type { StoreTransaction } from '../../../src/domain/ports.ts';
import type { StoreUnderTest } from '../store-contract.ts';
import {
  insertOrganization,
  insertUsers,
  makeDigest,
  makeDomainVerification,
  makeSsoConfiguration,
  makeToken,
  makeUser,
  queryMembers,
  readAll,
} from '../store-fixtures.ts';

type ById = (page: PageRequest) => Promise<Page<{ readonly id: string }>>;

interface ListById {
  readonly read: (store: StoreUnderTest, organizationId: string, userId: string) => ById;
  /** Resolves to the new row's id. */
  readonly insert: (
    tx: StoreTransaction,
    organizationId: string,
    userId: string,
  ) => Promise<string>;
  readonly remove: (tx: StoreTransaction, id: string) => Promise<void>;
}

const LISTS: readonly [string, ListById][] = [
  [
    'SSO configurations',
    {
      read: (store, organizationId) => async (page) =>
        store().listSsoConfigurations(organizationId, page),
      insert: async (tx, organizationId) => {
        const row = makeSsoConfiguration(organizationId);
        await tx.insertSsoConfiguration(row, 'secret');
        return row.id;
      },
      remove: (tx, id) => tx.deleteSsoConfiguration(id),
    },
  ],
  [
    'domain verifications',
    {
      read: (store, organizationId) => (page) =>
        store().listDomainVerifications(organizationId, page),
      insert: async (tx, organizationId) => {
        const row = makeDomainVerification(organizationId);
        await tx.insertDomainVerification({ ...row, domain: `${row.id}.example` });
        return row.id;
      },
      remove: (tx, id) => tx.deleteDomainVerification(id),
    },
  ],
  [
    'personal access tokens',
    {
      read: (store, _, userId) => (page) => store().listPersonalAccessTokens([userId], page),
      insert: async (tx, _, userId) => {
        const row = makeToken(userId);
        await tx.insertPersonalAccessToken(row, makeDigest());
        return row.id;
      },
      remove: (tx, id) => tx.deletePersonalAccessToken(id),
    },
  ],
];

const SORTS: readonly MemberQuery['sort'][] = (['name', 'joined'] as const).flatMap((field) => [
  { field, descending: false },
  { field, descending: true },
]);

export function describePages(store: StoreUnderTest): void {
  describe.each(LISTS)('pages of %s', (_, { read, insert, remove }) => {
    const insertOwners = async () => {
      const organization = await insertOrganization(store());
      const user = makeUser(organization.id);
      await insertUsers(store(), [user]);
      return { organizationId: organization.id, userId: user.id };
    };
    const insertRows = async (owners: { organizationId: string; userId: string }, count: number) =>
      store().transaction(async (tx) => {
        const ids: string[] = [];
        for (let i = 0; i < count; i++)
          ids.push(await insert(tx, owners.organizationId, owners.userId));
        return ids;
      });

    test('hold as many as asked, in order of id, and name the next only if there is one', async () => {
      const owners = await insertOwners();
      await insertRows(await insertOwners(), 3);
      const ids = await insertRows(owners, 5);
      const list = read(store, owners.organizationId, owners.userId);
      const sizes: number[] = [];
      const rows = await readAll(list, 2, async (page) => void sizes.push(page.length));
      expect(rows.map(({ id }) => id)).toEqual(ids.toSorted());
      expect(sizes).toEqual([2, 2, 1]);
      expect((await list({ size: 5 })).next).toBeUndefined();
    });

    test('leave nothing out and show nothing twice while rows come and go', async () => {
      const owners = await insertOwners();
      const ids = await insertRows(owners, 9);
      const rows = await readAll(
        read(store, owners.organizationId, owners.userId),
        3,
        async (page) => {
          // The row that the next page starts behind goes, and others come.
          await store().transaction(async (tx) => {
            const last = page.at(-1);
            if (last !== undefined) await remove(tx, last.id);
            if (ids.length < 12) ids.push(await insert(tx, owners.organizationId, owners.userId));
          });
        },
      );
      expect(rows.map(({ id }) => id)).toEqual(ids.toSorted());
    });

    test.each<Cursor>([
      ['a', 'b'],
      [1, 'b'],
    ])('refuse the cursor %o of another list', async (...after) => {
      const owners = await insertOwners();
      await expect(
        read(
          store,
          owners.organizationId,
          owners.userId,
        )({ size: 2, after: [...after] as unknown as Cursor }),
      ).rejects.toMatchObject({ name: 'DomainError', code: 'invalid_argument' });
    });
  });

  describe('pages of members', () => {
    test.each(SORTS)('sorted by %o are the whole list cut in pieces', async (sort) => {
      const name = fc.constantFrom('a', 'A', 'b', 'é', 'É', '');
      const person = fc.record({ name, at: fc.integer({ min: 0, max: 3 }) });
      await fc.assert(
        fc.asyncProperty(
          fc.array(person, { maxLength: 12 }),
          fc.integer({ min: 1, max: 5 }),
          async (people, size) => {
            const { id } = await insertOrganization(store());
            await insertUsers(
              store(),
              people.map(({ name, at }) => makeUser(id, { name, createdAt: new Date(at) })),
            );
            const query = queryMembers(id, {}, sort);
            const whole = await store().listMembers(query, { size: 100 });
            expect(whole.rows).toHaveLength(people.length);
            expect(await readAll((page) => store().listMembers(query, page), size)).toEqual(
              whole.rows,
            );
          },
        ),
        { numRuns: 15 },
      );
    });

    test.each(SORTS)('sorted by %o leave nothing out while rows come and go', async (sort) => {
      const { id } = await insertOrganization(store());
      const users = Array.from({ length: 9 }, (_, index) =>
        makeUser(id, { name: `n${index % 3}`, createdAt: new Date(index % 3) }),
      );
      await insertUsers(store(), users);
      const seen: User[] = [];
      await readAll(
        (page) => store().listMembers(queryMembers(id, {}, sort), page),
        2,
        async (page) => {
          seen.push(...page);
          // The row that the next page starts behind moves far away, in whichever direction.
          const last = page.at(-1);
          const name = sort.descending ? 'zzz' : '';
          if (last !== undefined)
            await store().transaction((tx) => tx.updateUser({ ...last, name }));
        },
      );
      expect(new Set(seen.map((user) => user.id))).toEqual(new Set(users.map((user) => user.id)));
      expect(seen).toHaveLength(users.length);
    });

    test.each<[MemberQuery['sort']['field'], Cursor]>([
      ['name', ['a']],
      ['name', [1, 'b']],
      ['joined', ['a', 'b']],
    ])('sorted by %s refuse the cursor %o of another list', async (field, after) => {
      const { id } = await insertOrganization(store());
      const query = queryMembers(id, {}, { field, descending: false });
      await expect(store().listMembers(query, { size: 2, after })).rejects.toMatchObject({
        name: 'DomainError',
        code: 'invalid_argument',
      });
    });
  });
}
