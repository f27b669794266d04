/** Owns the list of migrations, in order. They are named here and not found on disk, so that the code can be bundled. */
import type { Kysely, RawBuilder } from 'kysely';
import { createInitialTables } from './0001-initial.ts';
import { createLoginTables } from './0002-login.ts';
import { createRateLimitTable } from './0003-rate-limit.ts';
import { createTestLoginTable } from './0003-test-login.ts';
import { createTokenSessions } from './0004-token-session.ts';
import { createWriteCount } from './0005-write-count.ts';
import { createAuditTables } from './0006-audit.ts';
import { slimLoginAttempts } from './0007-slim-login-attempt.ts';
import { indexSignOuts } from './0008-audit-sign-out.ts';

/** What the databases spell differently. */
export interface ColumnTypes {
  /** Text that compares by its bytes: pages must be in the same order on every database and in every locale. */
  readonly text: RawBuilder<unknown>;
  /** Whether tables can be told to do without a log, and to be empty after a crash. */
  readonly unlogged?: boolean;
}

export interface KnownMigration {
  /** Stays for ever once released: the database remembers it. Sorts behind those before it. */
  readonly name: string;
  readonly up: (db: Kysely<unknown>, types: ColumnTypes) => Promise<void>;
}

export const KNOWN_MIGRATIONS: readonly KnownMigration[] = [
  { name: '0001-initial', up: createInitialTables },
  { name: '0002-login', up: createLoginTables },
  { name: '0003-rate-limit', up: createRateLimitTable },
  { name: '0003-test-login', up: createTestLoginTable },
  { name: '0004-token-session', up: createTokenSessions },
  { name: '0005-write-count', up: createWriteCount },
  { name: '0006-audit', up: createAuditTables },
  { name: '0007-slim-login-attempt', up: slimLoginAttempts },
  { name: '0008-audit-sign-out', up: indexSignOuts },
];
