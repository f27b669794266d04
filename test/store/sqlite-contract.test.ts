import { openSqliteStore } from '../../src/store/sqlite.ts';
import { createTemporaryFolder, TEST_KEYRING } from './sqlite-files.ts';
import { describeStoreContract } from './store-contract.ts';

describeStoreContract('SQLite', async () => {
  const folder = await createTemporaryFolder();
  const store = await openSqliteStore({ file: folder.file, keyring: TEST_KEYRING });
  return {
    store,
    dispose: async () => {
      await store.close();
      await folder.remove();
    },
  };
});
