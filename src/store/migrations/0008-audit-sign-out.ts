/** Owns finding the sign-outs that are to be forgotten: they are as many as sign-ins, and kept no longer than these. */
import { sql } from 'kysely';
import type { Kysely } from 'kysely';

export async function indexSignOuts(db: Kysely<unknown>): Promise<void> {
  await sql`create index audit_record_sign_out_idx on audit_record (at) where action = 'session.ended'`.execute(
    db,
  );
}
