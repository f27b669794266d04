import { randomInt } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { startStoreChild } from './run-store-child.ts';
import { createTemporaryFolder, TEST_KEYRING } from './sqlite-files.ts';
import { CONFIGURATIONS_EACH } from './store-child.ts';

const ROUNDS = 6;

/** The death of the process, that is, and not of the machine: what the kernel has, it writes. */
describe('a process killed while it writes', () => {
  test('loses nothing that it has acknowledged, and leaves nothing half done', async () => {
    await using folder = await createTemporaryFolder();
    const acknowledged: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const enough = randomInt(1, 60);
      const child = startStoreChild('insert', folder.file, (count) => {
        // At once, or somewhere within the transactions that follow.
        if (count === enough)
          void setTimeout(randomInt(0, 8)).then(() => child.process.kill('SIGKILL'));
      });
      expect(await child.ended).toEqual({ code: null, signal: 'SIGKILL' });
      acknowledged.push(...child.lines);

      const store = await openSqliteStore({ file: folder.file, keyring: TEST_KEYRING });
      for (const id of acknowledged) {
        expect(await store.findOrganization(id)).toBeDefined();
      }
      await store.close();
    }
    expect(acknowledged.length).toBeGreaterThanOrEqual(ROUNDS);

    const database = new DatabaseSync(folder.file);
    expect(database.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
    expect(database.prepare('PRAGMA foreign_key_check').all()).toEqual([]);
    const counts = database
      .prepare(
        `select distinct count(c.id) as count from organization o
         left join sso_configuration c on c.organization_id = o.id group by o.id`,
      )
      .all();
    expect(counts).toEqual([{ count: CONFIGURATIONS_EACH }]);
    database.close();
  });
});
