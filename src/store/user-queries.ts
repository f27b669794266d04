/** Owns the queries over users: the members of organizations, and among them the operators. */
import { sql } from 'kysely';
import type { SelectQueryBuilder } from 'kysely';
import { normalizeEmail } from '../domain/email-domain.ts';
import type { MemberFilter, MemberQuery, User } from '../domain/organization.ts';
import type { Cursor, Page, PageRequest } from '../domain/page.ts';
import type { StoreReader, StoreTransaction } from '../domain/ports.ts';
import { cutPage, readKeyCursor, readLimit } from './keyset-page.ts';
import type { Database, UserTable } from './schema.ts';
import { createLikePattern, normalizeForSearch, normalizeForSort } from './search-text.ts';
import { lockRow } from './sql-session.ts';
import type { FixedQuery, SqlSession } from './sql-session.ts';

type Reads = Pick<
  StoreReader,
  'findUser' | 'listMembers' | 'countMembers' | 'countActiveAdmins' | 'countActiveOperators'
>;
type Writes = Pick<StoreTransaction, 'lockUser' | 'insertUser' | 'updateUser'>;

/** The columns that a user is read from. */
export const USER_COLUMNS = [
  'id',
  'organization_id',
  'name',
  'email',
  'avatar_url',
  'role',
  'status',
  'operator',
  'login_provider',
  'created_at',
] as const;

export type UserRow = Pick<UserTable, (typeof USER_COLUMNS)[number]>;

/**
 * Those of a user who is joined, as `user`, to what is theirs: its row has an `id` and a `created_at` of its own, and names
 * the user in `user_id`.
 */
export const JOINED_USER_COLUMNS = [
  'user.organization_id',
  'user.name',
  'user.email',
  'user.avatar_url',
  'user.role',
  'user.status',
  'user.operator',
  'user.login_provider',
  'user.created_at as user_created_at',
] as const;

export type JoinedUserRow = Omit<UserRow, 'id' | 'created_at'> & {
  readonly user_id: string;
  readonly user_created_at: number;
};

export function readJoinedUser(row: JoinedUserRow): User {
  return readUser({ ...row, id: row.user_id, created_at: row.user_created_at });
}

/** Takes the id. */
const findById: FixedQuery<UserRow> = (db) =>
  db.selectFrom('user_account').select(USER_COLUMNS).where('id', '=', '');

export function createUserReads({ db, run }: SqlSession): Reads {
  const countUsers = async (
    query: SelectQueryBuilder<Database, 'user_account', object>,
  ): Promise<number> => {
    const row = await query
      .select((eb) => eb.fn.countAll<number | string>().as('count'))
      .executeTakeFirstOrThrow();
    // PostgreSQL counts in bigint, which its driver may give as text.
    return Number(row.count);
  };

  return {
    async findUser(id) {
      const [row] = await run(findById, id);
      return row && readUser(row);
    },

    listMembers: ({ organizationId, filter, sort }, page) => {
      const members = db.selectFrom('user_account').where('organization_id', '=', organizationId);
      return readMemberPage(narrowMembers(members, filter), sort, page);
    },

    countMembers: ({ organizationId, filter }) => {
      const members = db.selectFrom('user_account').where('organization_id', '=', organizationId);
      return countUsers(narrowMembers(members, filter));
    },

    countActiveAdmins: (organizationId) =>
      countUsers(
        db
          .selectFrom('user_account')
          .where('organization_id', '=', organizationId)
          .where('role', '=', 'admin')
          .where('status', '=', 'active'),
      ),

    countActiveOperators: ({ except, outside }) => {
      let query = db
        .selectFrom('user_account')
        // Written out, so that the index over operators alone fits.
        .where('operator', '=', sql.lit(1))
        .where('status', '=', 'active');
      if (except !== undefined) query = query.where('id', '<>', except);
      if (outside !== undefined) query = query.where('organization_id', '<>', outside);
      return countUsers(query);
    },
  };
}

export function createUserWrites(session: SqlSession): Writes {
  const { db } = session;
  return {
    async lockUser(id) {
      const query = db.selectFrom('user_account').select(USER_COLUMNS).where('id', '=', id);
      const row = await lockRow(session, query).executeTakeFirst();
      return row && readUser(row);
    },

    async insertUser(user) {
      await db.insertInto('user_account').values(writeUser(user)).execute();
    },

    async updateUser(user) {
      const { id, organization_id: _, created_at: __, ...changed } = writeUser(user);
      await db.updateTable('user_account').set(changed).where('id', '=', id).execute();
    },
  };
}

type MemberSelection = SelectQueryBuilder<Database, 'user_account', object>;

function narrowMembers(members: MemberSelection, filter: MemberFilter): MemberSelection {
  const { search, statuses, roles, userIds } = filter;
  let query = members;
  if (statuses.length > 0) query = query.where('status', 'in', statuses);
  if (roles.length > 0) query = query.where('role', 'in', roles);
  if (userIds.length > 0) query = query.where('id', 'in', userIds);
  if (search !== '') {
    const pattern = createLikePattern(search);
    query = query.where((eb) =>
      eb.or([
        sql<boolean>`${eb.ref('name_search')} like ${pattern} escape '!'`,
        sql<boolean>`${eb.ref('email_search')} like ${pattern} escape '!'`,
      ]),
    );
  }
  return query;
}

/** Ties are broken by id in the direction of the sort, so that one index serves both directions. */
async function readMemberPage(
  members: MemberSelection,
  sort: MemberQuery['sort'],
  page: PageRequest,
): Promise<Page<User>> {
  const key = sort.field === 'name' ? 'name_sort' : 'created_at';
  const direction = sort.descending ? 'desc' : 'asc';
  let query = members
    .select([...USER_COLUMNS, 'name_sort'])
    .orderBy(key, direction)
    .orderBy('id', direction)
    .limit(readLimit(page));
  if (page.after !== undefined) {
    const [value, id] = readKeyCursor(page.after, key === 'name_sort' ? 'string' : 'number');
    const comparison = sql.raw(sort.descending ? '<' : '>');
    query = query.where(
      (eb) => sql<boolean>`(${eb.ref(key)}, ${eb.ref('id')}) ${comparison} (${value}, ${id})`,
    );
  }
  return cutPage(await query.execute(), page, readUser, (row): Cursor => [row[key], row.id]);
}

export function readUser(row: UserRow): User {
  return {
    id: row.id,
    organizationId: row.organization_id,
    name: row.name,
    email: row.email,
    avatarUrl: row.avatar_url,
    role: row.role,
    status: row.status,
    operator: row.operator === 1,
    loginProvider: row.login_provider,
    createdAt: new Date(row.created_at),
  };
}

function writeUser(user: User): UserTable {
  return {
    id: user.id,
    organization_id: user.organizationId,
    name: user.name,
    email: user.email,
    avatar_url: user.avatarUrl,
    role: user.role,
    status: user.status,
    operator: user.operator ? 1 : 0,
    login_provider: user.loginProvider,
    created_at: user.createdAt.getTime(),
    name_sort: normalizeForSort(user.name),
    name_search: normalizeForSearch(user.name),
    email_search: normalizeForSearch(user.email),
    email_key: normalizeEmail(user.email),
  };
}
