// What a killed process and an orderly stop leave behind on either store, ended while clients write.
import { afterEach, describe, expect, test } from 'vitest';

import type { JsonAnswer } from '../test/support/call-json.ts';
import { DATABASES } from './databases.ts';
import type { DatabaseUnderTest } from './databases.ts';
import { startServerUnderTest } from './server-under-test.ts';
import type { ServerUnderTest } from './server-under-test.ts';
import { expectNothingLost, readStoredNames, startWriteLoad } from './write-load.ts';
import type { Ledger } from './write-load.ts';

/** What an orderly stop may take, in milliseconds. */
const MOST_PATIENT = 10_000;

let database: DatabaseUnderTest;
let server: ServerUnderTest;

afterEach(async () => {
  await server.end('SIGKILL');
  await database.dispose();
});

describe.each(DATABASES)('A process on %s that is', (_, makeDatabase) => {
  test('killed again and again while clients write loses nothing that it acknowledged', async () => {
    database = await makeDatabase();
    const ledgers: Ledger[] = [];
    for (let round = 0; round < 3; round += 1) {
      server = await startServerUnderTest(database.url);
      const { organizationId, call } = server;
      let isKilled = false;
      const send = async (rpc: string, body: object): Promise<JsonAnswer | undefined> => {
        const answer = await call(rpc, body).catch((error: unknown) => {
          if (!isKilled) throw error;
          return undefined;
        });
        if (answer !== undefined) expect(answer.status).toBe(200);
        return answer;
      };
      const load = startWriteLoad({ clients: 8, organizationId, send });
      ledgers.push(load.ledger);
      await load.reach(100 + 37 * round);
      isKilled = true;
      await server.end('SIGKILL');
      await load.stop();
      await database.expectIntegrity();
    }
    server = await startServerUnderTest(database.url);
    const stored = await readStoredNames(server);
    for (const ledger of ledgers) expectNothingLost(ledger, stored);
  });

  test('asked to end while clients write answers every call that it accepted', async () => {
    database = await makeDatabase();
    server = await startServerUnderTest(database.url);
    const { organizationId, call } = server;
    let isEnding = false;
    // Only new connections are refused: what comes on one that is open is answered, and told that it was the last.
    const send = async (rpc: string, body: object): Promise<JsonAnswer | undefined> => {
      try {
        const answer = await call(rpc, body);
        expect(answer.status).toBe(200);
        return answer;
      } catch (error) {
        if (isEnding && isRefused(error)) return undefined;
        throw error;
      }
    };
    const load = startWriteLoad({ clients: 8, organizationId, send });
    await load.reach(100);
    isEnding = true;
    const { exitCode, log, tookMs } = await server.end('SIGTERM');
    await load.stop();
    expect([exitCode, log]).toEqual([0, '']);
    expect(tookMs).toBeLessThan(MOST_PATIENT);
    await database.expectIntegrity();
    server = await startServerUnderTest(database.url);
    expectNothingLost(load.ledger, await readStoredNames(server));
  });
});

/** Whether no connection could be made. */
function isRefused(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && cause.code === 'ECONNREFUSED') return true;
  }
  return false;
}
