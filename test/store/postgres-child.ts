/**
 * Owns what another process does to a PostgreSQL database in these tests: `node postgres-child.ts <what> <url>`. It
 * says on standard output what has been done.
 */
import { sql } from 'kysely';
import { KNOWN_MIGRATIONS } from '../../src/store/migrations/known-migrations.ts';
import { openPostgresStore } from '../../src/store/postgres.ts';
import { TEST_KEYRING } from './sqlite-files.ts';
import { countUp } from './store-child.ts';

const FATAL: (typeof KNOWN_MIGRATIONS)[0] = {
  name: '9999-fatal',
  up: async (db) => {
    await sql`create table half_done (id text)`.execute(db);
    process.kill(process.pid, 'SIGKILL');
  },
};

const [, , what, url = ''] = process.argv;
try {
  const store = await openPostgresStore({
    url,
    keyring: TEST_KEYRING,
    migrations: what === 'migrate-and-die' ? [...KNOWN_MIGRATIONS, FATAL] : KNOWN_MIGRATIONS,
  });
  if (what === 'count') await countUp(store, 'counter');
  await store.close();
  process.stdout.write('done\n');
} catch (error) {
  process.stdout.write(`${String(error)}\n`);
  process.exitCode = 1;
}
