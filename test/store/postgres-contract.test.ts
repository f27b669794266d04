import { afterAll, beforeAll } from 'vitest';
import { openPostgresStore } from '../../src/store/postgres.ts';
import { startPostgresServer } from './postgres-server.ts';
import type { PostgresServer } from './postgres-server.ts';
import { TEST_KEYRING } from './sqlite-files.ts';
import { describeStoreContract } from './store-contract.ts';

let server: PostgresServer;
let database: string;
beforeAll(async () => {
  server = await startPostgresServer();
  database = await server.createDatabase();
});
afterAll(() => server.dispose());

describeStoreContract('PostgreSQL', async () => {
  const store = await openPostgresStore({
    url: server.createUrl(database),
    keyring: TEST_KEYRING,
  });
  return {
    store,
    dispose: async () => {
      await store.close();
      // A database for each test would take twice as long as all that they do in it.
      await server.run(
        'delete from organization; delete from signing_key; delete from rate_limit',
        database,
      );
    },
  };
});
