import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MemberQuery, User } from '../../../src/domain/organization.ts';
import type { StoreUnderTest } from '../store-contract.ts';
import { insertOrganization, insertUsers, makeUser, queryMembers } from '../store-fixtures.ts';

const ALL = { size: 100 };

export function describeUsers(store: StoreUnderTest): void {
  const listNames = async (query: MemberQuery): Promise<readonly string[]> => {
    const { rows } = await store().listMembers(query, ALL);
    expect(await store().countMembers(query)).toBe(rows.length);
    return rows.map(({ name }) => name);
  };

  describe('users', () => {
    test('are read as they were written', async () => {
      const { id } = await insertOrganization(store());
      const user = makeUser(id, {
        operator: true,
        avatarUrl: 'https://a.example/b',
        loginProvider: 'Okta',
      });
      await insertUsers(store(), [user]);
      expect(await store().findUser(user.id)).toEqual(user);
      expect(await store().findUser('unknown')).toBeUndefined();
    });

    test('can be changed, also in what they are found by', async () => {
      const { id } = await insertOrganization(store());
      const user = makeUser(id);
      await insertUsers(store(), [user, makeUser(id, { name: 'Other', email: '' })]);
      const changed: User = {
        ...user,
        name: 'Grace Hopper',
        email: 'grace@navy.example',
        role: 'admin',
        status: 'suspended',
        operator: true,
        avatarUrl: 'https://a.example/c',
        loginProvider: 'SSO',
      };
      await store().transaction((tx) => tx.updateUser(changed));
      expect(await store().findUser(user.id)).toEqual(changed);
      expect(await listNames(queryMembers(id, { search: 'HOPPER' }))).toEqual(['Grace Hopper']);
      expect(await listNames(queryMembers(id, { search: 'lovelace' }))).toEqual([]);
    });

    test('of an organization that is not there are refused as aborted', async () => {
      await expect(insertUsers(store(), [makeUser('unknown')])).rejects.toMatchObject({
        name: 'DomainError',
        code: 'aborted',
      });
    });

    test.each<[string, Partial<MemberQuery['filter']>, readonly string[]]>([
      ['nothing', {}, ['Ada', 'Bob', 'Cyd', 'Dan']],
      ['one status', { statuses: ['active'] }, ['Ada', 'Bob']],
      ['several statuses', { statuses: ['suspended', 'left'] }, ['Cyd', 'Dan']],
      ['a role', { roles: ['admin'] }, ['Ada', 'Cyd']],
      ['both', { roles: ['admin'], statuses: ['active'] }, ['Ada']],
      ['ids', { userIds: ['bob', 'dan', 'elsewhere', 'unknown'] }, ['Bob', 'Dan']],
      ['a search and a role', { search: 'd', roles: ['admin'] }, ['Ada', 'Cyd']],
    ])('are narrowed by %s', async (_, filter, expected) => {
      const { id } = await insertOrganization(store());
      const other = await insertOrganization(store());
      const email = '';
      await insertUsers(store(), [
        makeUser(id, { id: 'ada', name: 'Ada', email, role: 'admin' }),
        makeUser(id, { id: 'bob', name: 'Bob', email }),
        makeUser(id, { id: 'cyd', name: 'Cyd', email, role: 'admin', status: 'suspended' }),
        makeUser(id, { id: 'dan', name: 'Dan', email, status: 'left' }),
        makeUser(other.id, { id: 'elsewhere', name: 'Eve', email, role: 'admin' }),
      ]);
      expect(await listNames(queryMembers(id, filter))).toEqual(expected);
    });

    test.each([
      ['the middle of a name', 'vela', 'Ada Lovelace'],
      ['another case', 'LOVE', 'Ada Lovelace'],
      ['another case beyond ASCII', 'ÅNGSTRÖM', 'anders ångström'],
      ['letters in another composition', 'a\u030angstro\u0308m', 'anders ångström'],
      ['compatible forms', 'fine', 'ﬁne print'],
      ['an email', 'B.EXAMPLE', 'By Mail'],
      ['a percent sign', '%', '100% sure'],
      ['an underscore', 'e_c', 'snake_case'],
      ['an exclamation mark', '!', 'wow!'],
      ['a backslash', '\\', 'back\\slash'],
      ['a quote', "o'n", "Flo O'Neil"],
    ])('are found by %s', async (_, search, expected) => {
      const { id } = await insertOrganization(store());
      const names = [
        'Ada Lovelace',
        'anders ångström',
        'ﬁne print',
        '100% sure',
        'snake_case',
        'snakeXcase',
      ];
      await insertUsers(store(), [
        ...[...names, 'wow!', 'back\\slash', "Flo O'Neil"].map((name) =>
          makeUser(id, { name, email: '' }),
        ),
        makeUser(id, { name: 'By Mail', email: 'me@b.example' }),
      ]);
      expect(await listNames(queryMembers(id, { search }))).toEqual([expected]);
    });

    test('are found by a search exactly when it is part of their name or email', async () => {
      const text = fc.string({
        unit: fc.constantFrom('a', 'B', '%', '_', '!', '\\', "'", ' '),
        maxLength: 5,
      });
      const { id } = await insertOrganization(store());
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(text, text), { maxLength: 5 }),
          text,
          async (people, search) => {
            const users = people.map(([name, email]) => makeUser(id, { name, email }));
            await insertUsers(store(), users);
            const userIds = users.length === 0 ? ['nobody'] : users.map((user) => user.id);
            const { rows } = await store().listMembers(queryMembers(id, { search, userIds }), ALL);
            const wanted = search.toLowerCase();
            const expected = users.filter(({ name, email }) =>
              [name, email].some((text) => text.toLowerCase().includes(wanted)),
            );
            expect(new Set(rows)).toEqual(new Set(expected));
          },
        ),
        { numRuns: 40 },
      );
    });

    test.each<[MemberQuery['sort'], readonly string[]]>([
      [{ field: 'name', descending: false }, ['Adam', 'adam', 'BOB', 'zoe', 'Österreich']],
      [{ field: 'name', descending: true }, ['Österreich', 'zoe', 'BOB', 'adam', 'Adam']],
      [{ field: 'joined', descending: false }, ['zoe', 'Adam', 'adam', 'Österreich', 'BOB']],
      [{ field: 'joined', descending: true }, ['BOB', 'Österreich', 'adam', 'Adam', 'zoe']],
    ])('are sorted by %o, ties by id in the same direction', async (sort, expected) => {
      const { id } = await insertOrganization(store());
      const people: readonly [string, number][] = [
        ['zoe', 1],
        ['Adam', 2],
        ['adam', 2],
        ['Österreich', 3],
        ['BOB', 4],
      ];
      await insertUsers(
        store(),
        people.map(([name, at]) => makeUser(id, { name, createdAt: new Date(at) })),
      );
      expect(await listNames(queryMembers(id, {}, sort))).toEqual(expected);
    });

    test('are counted as active admins only when they are both', async () => {
      const { id } = await insertOrganization(store());
      const other = await insertOrganization(store());
      await insertUsers(store(), [
        makeUser(id, { role: 'admin' }),
        makeUser(id, { role: 'admin' }),
        makeUser(id, { role: 'admin', status: 'suspended' }),
        makeUser(id),
        makeUser(other.id, { role: 'admin' }),
      ]);
      expect(await store().countActiveAdmins(id)).toBe(2);
      expect(await store().countActiveAdmins('unknown')).toBe(0);
    });

    test('are counted as active operators other than one, and outside one organization', async () => {
      const { id } = await insertOrganization(store());
      const other = await insertOrganization(store());
      const operator = makeUser(id, { operator: true });
      await insertUsers(store(), [
        operator,
        makeUser(id, { operator: true, status: 'left' }),
        makeUser(id),
        makeUser(other.id, { operator: true }),
      ]);
      expect(await store().countActiveOperators({})).toBe(2);
      expect(await store().countActiveOperators({ except: operator.id })).toBe(1);
      expect(await store().countActiveOperators({ outside: other.id })).toBe(1);
      expect(await store().countActiveOperators({ except: operator.id, outside: other.id })).toBe(
        0,
      );
    });
  });
}
