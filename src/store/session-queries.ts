/** Owns the queries over sessions. */
import type { LoginReader, LoginWriter } from '../domain/login-ports.ts';
import type { Session, StoredSession } from '../domain/session.ts';
import type { Flag, SessionTable } from './schema.ts';
import type { FixedQuery, SqlSession } from './sql-session.ts';
import { JOINED_USER_COLUMNS, readJoinedUser } from './user-queries.ts';
import type { JoinedUserRow } from './user-queries.ts';

type Reads = Pick<LoginReader, 'findSessionByDigest'>;
type Writes = Pick<
  LoginWriter,
  'insertSession' | 'deleteSession' | 'deleteSessionsOf' | 'recordSessionUses'
>;

const COLUMNS = [
  'id',
  'user_id',
  'configuration_id',
  'token_id',
  'created_at',
  'last_used_at',
] as const;

type SessionRow = Pick<SessionTable, (typeof COLUMNS)[number]>;

/** With its user, and the token that it was traded for. */
type SessionWithUserRow = SessionRow &
  JoinedUserRow & {
    readonly token_read_only: Flag | null;
    readonly token_expires_at: number | null;
  };

/** Takes the digest. */
const findByDigest: FixedQuery<SessionWithUserRow> = (db) =>
  db
    .selectFrom('session')
    .innerJoin('user_account as user', 'user.id', 'session.user_id')
    .leftJoin('personal_access_token as token', 'token.id', 'session.token_id')
    .select(COLUMNS.map((column) => `session.${column}` as const))
    .select(JOINED_USER_COLUMNS)
    .select(['token.read_only as token_read_only', 'token.expires_at as token_expires_at'])
    .where('session.digest', '=', '');

/** Takes the time, the session's id, and the time once more. */
const recordUse: FixedQuery<unknown> = (db) =>
  db
    .updateTable('session')
    .set({ last_used_at: 0 })
    .where('id', '=', '')
    .where('last_used_at', '<', 0);

export function createSessionReads({ run }: SqlSession): Reads {
  return {
    async findSessionByDigest(digest) {
      const [row] = await run(findByDigest, digest);
      if (row === undefined) return undefined;
      const user = readJoinedUser(row);
      return { session: readSession(row), user, token: readToken(row) };
    },
  };
}

export function createSessionWrites({ db, run }: SqlSession): Writes {
  return {
    async insertSession(session, digest) {
      const row: SessionTable = {
        id: session.id,
        digest: digest,
        user_id: session.userId,
        configuration_id: session.ssoConfigurationId ?? null,
        token_id: session.tokenId ?? null,
        created_at: session.createdAt.getTime(),
        last_used_at: session.lastUsedAt.getTime(),
      };
      await db.insertInto('session').values(row).execute();
    },

    async deleteSession(digest) {
      await db.deleteFrom('session').where('digest', '=', digest).execute();
    },

    async deleteSessionsOf(userId) {
      await db.deleteFrom('session').where('user_id', '=', userId).execute();
    },

    async recordSessionUses(uses) {
      // In one order everywhere, so that two of these at once do not wait for each other in a circle.
      for (const id of [...uses.keys()].toSorted()) {
        const time = uses.get(id)?.getTime();
        if (time !== undefined) await run(recordUse, time, id, time);
      }
    },
  };
}

function readSession(row: SessionRow): Session {
  const { configuration_id: ssoConfigurationId, token_id: tokenId } = row;
  const common = {
    id: row.id,
    userId: row.user_id,
    createdAt: new Date(row.created_at),
    lastUsedAt: new Date(row.last_used_at),
  };
  if (ssoConfigurationId !== null) return { ...common, ssoConfigurationId };
  if (tokenId !== null) return { ...common, tokenId };
  throw new Error(`The session ${row.id} belongs to nothing.`);
}

function readToken(row: SessionWithUserRow): StoredSession['token'] {
  if (row.token_read_only === null) return undefined;
  const { token_expires_at: expiresAt } = row;
  return {
    readOnly: row.token_read_only === 1,
    expiresAt: expiresAt === null ? undefined : new Date(expiresAt),
  };
}
