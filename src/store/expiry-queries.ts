/** Owns the forgetting of what has expired, a bounded number of rows at a time so that nobody waits for it. */
import { sql } from 'kysely';
import type { ChangeAction } from '../domain/audit.ts';
import type { LoginWriter } from '../domain/login-ports.ts';
import type { SqlSession } from './sql-session.ts';

type Writes = Pick<LoginWriter, 'forgetExpired'>;

/** So long after its expiry, a replayed callback is still told from one that we never knew; in milliseconds. */
const KEEP_PENDING_MS = 60 * 60 * 1000;

/** So long after its expiry, the report of a test login can be fetched; in milliseconds. */
const KEEP_TEST_MS = 24 * 60 * 60 * 1000;

/** Counts go by the database's clock, from which ours may differ. */
const KEEP_COUNTS_MS = 60 * 60 * 1000;

export function createExpiryWrites({ db }: SqlSession): Writes {
  return {
    async forgetExpired({ now, sessionLifetime, attemptRetention, auditRetention, limit }) {
      const time = now.getTime();
      const sessions = db
        .selectFrom('session')
        .select('id')
        .where((eb) =>
          eb.or([
            eb('created_at', '<=', time - sessionLifetime.absoluteMs),
            eb('last_used_at', '<=', time - sessionLifetime.idleMs),
          ]),
        )
        .limit(limit);
      const pending = db
        .selectFrom('pending_login')
        .select('state_digest')
        .where('expires_at', '<=', time - KEEP_PENDING_MS)
        .limit(limit);
      const attempts = db
        .selectFrom('login_attempt')
        .select('id')
        .where('user_id', 'is', null)
        .where('at', '<=', time - attemptRetention.maxAgeMs)
        .limit(limit);
      const signInMaxAgeMs = Math.min(attemptRetention.maxAgeMs, auditRetention.signInMaxAgeMs);
      const signIns = db
        .selectFrom('login_attempt')
        .select('id')
        .where('user_id', 'is not', null)
        .where('at', '<=', time - signInMaxAgeMs)
        .limit(limit);
      const signOuts = db
        .selectFrom('audit_record')
        .select('id')
        // Written out, so that the index over sign-outs alone fits.
        .where('action', '=', sql.lit('session.ended' satisfies ChangeAction))
        .where('at', '<=', time - auditRetention.signInMaxAgeMs)
        .limit(limit);
      const records = db
        .selectFrom('audit_record')
        .select('id')
        .where('at', '<=', time - auditRetention.maxAgeMs)
        .limit(limit);
      const tests = db
        .selectFrom('test_login')
        .select('id')
        .where('expires_at', '<=', time - KEEP_TEST_MS)
        .limit(limit);
      const counts = db
        .selectFrom('rate_limit')
        .select('key')
        .where('ends_at', '<=', time - KEEP_COUNTS_MS)
        .limit(limit);
      const deletions = [
        await db.deleteFrom('session').where('id', 'in', sessions).executeTakeFirst(),
        await db
          .deleteFrom('pending_login')
          .where('state_digest', 'in', pending)
          .executeTakeFirst(),
        await db.deleteFrom('login_attempt').where('id', 'in', attempts).executeTakeFirst(),
        await db.deleteFrom('login_attempt').where('id', 'in', signIns).executeTakeFirst(),
        await db.deleteFrom('audit_record').where('id', 'in', signOuts).executeTakeFirst(),
        await db.deleteFrom('audit_record').where('id', 'in', records).executeTakeFirst(),
        await db.deleteFrom('rate_limit').where('key', 'in', counts).executeTakeFirst(),
        await db.deleteFrom('test_login').where('id', 'in', tests).executeTakeFirst(),
      ];
      const deleted = deletions.reduce(
        (sum, { numDeletedRows }) => sum + Number(numDeletedRows),
        0,
      );
      if (attemptRetention.claimsPerConfiguration > 0) return deleted;
      // Switched off: where nobody signs in any more, no attempt comes that would take the claims away.
      const withClaims = db
        .selectFrom('login_attempt')
        .select('id')
        .where('key_id', 'is not', null)
        .limit(limit);
      const emptied = await db
        .updateTable('login_attempt')
        .set({ claims: null, key_id: null })
        .where('id', 'in', withClaims)
        .executeTakeFirst();
      return deleted + Number(emptied.numUpdatedRows);
    },
  };
}
