/** Owns the queries over personal access tokens. */
import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { StoreReader, StoreTransaction } from '../domain/ports.ts';
import type { PersonalAccessToken, TokenWithUser } from '../domain/token.ts';
import { cutPage, readIdCursor, readLimit } from './keyset-page.ts';
import type { Database, PersonalAccessTokenTable } from './schema.ts';
import type { FixedQuery, SqlSession } from './sql-session.ts';
import { JOINED_USER_COLUMNS, readJoinedUser } from './user-queries.ts';
import type { JoinedUserRow } from './user-queries.ts';

type Reads = Pick<
  StoreReader,
  'findTokenByDigest' | 'findPersonalAccessToken' | 'listPersonalAccessTokens'
>;
type Writes = Pick<
  StoreTransaction,
  | 'insertPersonalAccessToken'
  | 'deletePersonalAccessToken'
  | 'deletePersonalAccessTokensOf'
  | 'recordTokenUses'
>;

const COLUMNS = [
  'id',
  'user_id',
  'description',
  'creator_id',
  'read_only',
  'created_at',
  'expires_at',
  'last_used_at',
] as const;

type TokenRow = Pick<PersonalAccessTokenTable, (typeof COLUMNS)[number]>;

type TokenWithUserRow = TokenRow & JoinedUserRow;

const selectWithUser = (db: Kysely<Database>) =>
  db
    .selectFrom('personal_access_token as token')
    .innerJoin('user_account as user', 'user.id', 'token.user_id')
    .select(COLUMNS.map((column) => `token.${column}` as const))
    .select(JOINED_USER_COLUMNS);

/** Takes the digest. */
const findByDigest: FixedQuery<TokenWithUserRow> = (db) =>
  selectWithUser(db).where('token.digest', '=', '');

/** Takes an array of digests. */
const findByDigests: FixedQuery<TokenWithUserRow & { readonly digest: string }> = (db) =>
  selectWithUser(db)
    .select('token.digest')
    .where('token.digest', '=', sql<string>`any(${[]})`);

/** Takes the time, the token's id, and the time once more. */
const recordUse: FixedQuery<unknown> = (db) =>
  db
    .updateTable('personal_access_token')
    .set({ last_used_at: 0 })
    .where('id', '=', '')
    .where((eb) => eb.or([eb('last_used_at', 'is', null), eb('last_used_at', '<', 0)]));

export function createTokenReads({ db, run }: SqlSession): Reads {
  return {
    async findTokenByDigest(digest) {
      const [row] = await run(findByDigest, digest);
      return row && readTokenWithUser(row);
    },

    async findPersonalAccessToken(id) {
      const row = await db
        .selectFrom('personal_access_token')
        .select(COLUMNS)
        .where('id', '=', id)
        .executeTakeFirst();
      return row && readToken(row);
    },

    async listPersonalAccessTokens(userIds, page) {
      let query = db
        .selectFrom('personal_access_token')
        .select(COLUMNS)
        .where('user_id', 'in', userIds)
        .orderBy('id')
        .limit(readLimit(page));
      if (page.after !== undefined) query = query.where('id', '>', readIdCursor(page.after));
      return cutPage(await query.execute(), page, readToken, ({ id }) => [id]);
    },
  };
}

/** On PostgreSQL alone. */
export async function findTokensByDigests(
  { run }: SqlSession,
  digests: readonly string[],
): Promise<ReadonlyMap<string, TokenWithUser>> {
  const rows = await run(findByDigests, digests);
  return new Map(rows.map((row) => [row.digest, readTokenWithUser(row)]));
}

export function createTokenWrites({ db, run }: SqlSession): Writes {
  return {
    async insertPersonalAccessToken(token, digest) {
      const row = { ...writeToken(token), digest: digest };
      await db.insertInto('personal_access_token').values(row).execute();
    },

    async deletePersonalAccessToken(id) {
      await db.deleteFrom('personal_access_token').where('id', '=', id).execute();
    },

    async deletePersonalAccessTokensOf(userId) {
      await db.deleteFrom('personal_access_token').where('user_id', '=', userId).execute();
    },

    async recordTokenUses(uses) {
      // In one order everywhere, so that two of these at once do not wait for each other in a circle.
      for (const id of [...uses.keys()].toSorted()) {
        const time = uses.get(id)?.getTime();
        if (time !== undefined) await run(recordUse, time, id, time);
      }
    },
  };
}

function readTokenWithUser(row: TokenWithUserRow): TokenWithUser {
  const user = readJoinedUser(row);
  return { token: readToken(row), user };
}

function readToken(row: TokenRow): PersonalAccessToken {
  return {
    id: row.id,
    userId: row.user_id,
    description: row.description,
    creatorId: row.creator_id,
    readOnly: row.read_only === 1,
    createdAt: new Date(row.created_at),
    expiresAt: row.expires_at === null ? undefined : new Date(row.expires_at),
    lastUsedAt: row.last_used_at === null ? undefined : new Date(row.last_used_at),
  };
}

function writeToken(token: PersonalAccessToken): Omit<PersonalAccessTokenTable, 'digest'> {
  return {
    id: token.id,
    user_id: token.userId,
    description: token.description,
    creator_id: token.creatorId,
    read_only: token.readOnly ? 1 : 0,
    created_at: token.createdAt.getTime(),
    expires_at: token.expiresAt?.getTime() ?? null,
    last_used_at: token.lastUsedAt?.getTime() ?? null,
  };
}
