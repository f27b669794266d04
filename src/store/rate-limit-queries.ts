/** Owns the counting of uses in the database, so that all processes that share it count together. */
import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { RateLimiter } from '../domain/rate-limiter.ts';
import type { Database } from './schema.ts';

/** By the database's clock: those of the processes may differ. */
const NOW = sql`(extract(epoch from clock_timestamp()) * 1000)::bigint`;

interface Row {
  readonly count: number;
  /** Until the window ends, in milliseconds. */
  readonly remaining: number;
}

export function createSqlRateLimiter(db: Kysely<Database>): RateLimiter {
  return {
    async consume({ name, count, windowMs }, key) {
      const { rows } = await sql<Row>`
        insert into rate_limit as known (key, count, ends_at)
        values (${`${name}:${key}`}, 1, ${NOW} + ${windowMs})
        on conflict (key) do update set
          count = case when known.ends_at <= ${NOW} then 1 else known.count + 1 end,
          ends_at = case when known.ends_at <= ${NOW} then excluded.ends_at else known.ends_at end
        returning count, ends_at - ${NOW} as remaining`.execute(db);
      const [row] = rows;
      if (row === undefined || row.count <= count) return { allowed: true };
      return { allowed: false, retryAfterMs: Math.min(windowMs, Math.max(1, row.remaining)) };
    },
  };
}
