/**
 * Owns what another process does to a database file in these tests: `node store-child.ts <what> <file>`. It says on
 * standard output what has been acknowledged, line by line and without buffering.
 */
import { writeSync } from 'node:fs';
import { sql } from 'kysely';
import { DomainError } from '../../src/domain/errors.ts';
import type { Store } from '../../src/domain/ports.ts';
import { KNOWN_MIGRATIONS } from '../../src/store/migrations/known-migrations.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { TEST_KEYRING } from './sqlite-files.ts';
import { makeOrganization, makeSsoConfiguration } from './store-fixtures.ts';

/** How many configurations each organization gets in its transaction. */
export const CONFIGURATIONS_EACH = 3;
/** How many steps a counting process counts. */
export const STEPS_EACH = 40;

const NOBODY = 65_534;

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

/** Writes until it is killed. */
async function insertForEver(store: Store): Promise<never> {
  for (;;) {
    const organization = makeOrganization();
    await store.transaction(async (tx) => {
      await tx.insertOrganization(organization);
      for (let i = 0; i < CONFIGURATIONS_EACH; i++) {
        await tx.insertSsoConfiguration(makeSsoConfiguration(organization.id), 'secret');
      }
    });
    say(organization.id);
  }
}

/** Counts the revision of a configuration up, step by step. */
export async function countUp(store: Store, id: string): Promise<void> {
  for (let left = STEPS_EACH; left > 0;) {
    try {
      await store.transaction(async (tx) => {
        const current = await tx.lockSsoConfiguration(id);
        if (current === undefined) throw new Error('no such configuration');
        await tx.updateSsoConfiguration({ ...current, revision: current.revision + 1 });
      });
      left -= 1;
    } catch (error) {
      // Between processes there is no queue, so that one of them may be unlucky for long.
      if (!(error instanceof DomainError && error.code === 'unavailable')) throw error;
    }
  }
}

async function run(what: string | undefined, file: string): Promise<void> {
  const options = { file, keyring: TEST_KEYRING };
  if (what === 'open-unprivileged' && process.geteuid?.() === 0) process.seteuid?.(NOBODY);
  if (what === 'migrate-and-die') {
    const fatal = {
      name: '9999-fatal',
      up: async (db: Parameters<(typeof KNOWN_MIGRATIONS)[0]['up']>[0]) => {
        await sql`create table half_done (id text)`.execute(db);
        await sql`update organization set name = 'half done'`.execute(db);
        process.kill(process.pid, 'SIGKILL');
      },
    };
    await openSqliteStore({ ...options, migrations: [...KNOWN_MIGRATIONS, fatal] });
    return;
  }
  const store = await openSqliteStore(options);
  if (what === 'insert') await insertForEver(store);
  if (what === 'count') await countUp(store, 'counter');
  await store.close();
  say('done');
}

if (import.meta.main) {
  const [, , what, file] = process.argv;
  try {
    await run(what, file ?? '');
  } catch (error) {
    say(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    process.exitCode = 1;
  }
}
