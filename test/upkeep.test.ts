// What runs in the background: one round at a time, and none that keeps the process from ending.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { v7 as newId } from 'uuid';
import { onTestFinished, expect, test, vi } from 'vitest';

import type { Store } from '../src/domain/ports.ts';
import { createUseRecorder } from '../src/domain/use-recorder.ts';
import { openSqliteStore } from '../src/store/sqlite.ts';
import { startUpkeep } from '../src/upkeep.ts';
import type { UpkeepOptions } from '../src/upkeep.ts';
import { TEST_KEYRING } from './store/sqlite-files.ts';

async function openStore(): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), 'claimgate-upkeep-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'claimgate.db');
  const store = await openSqliteStore({ file, keyring: TEST_KEYRING });
  onTestFinished(() => store.close());
  return store;
}

/** Starts it over a store whose forgetting is replaced. */
function start(store: Store, forget: () => Promise<number>, given: Partial<UpkeepOptions> = {}) {
  const transaction: Store['transaction'] = (work) =>
    store.transaction((tx) => work({ ...tx, forgetExpired: forget }));
  return startUpkeep({
    env: {
      store: { ...store, transaction },
      now: () => new Date(),
      newId,
      sessionLifetime: { idleMs: 1000, absoluteMs: 1000 },
      attemptRetention: { claimsPerConfiguration: 0, maxAgeMs: 0 },
      auditRetention: { maxAgeMs: 1000, signInMaxAgeMs: 1000 },
    },
    recorders: [],
    logger: { warn: () => undefined },
    intervalMs: 1,
    ...given,
  });
}

test('a backlog without end does not keep it from stopping', async () => {
  let batches = 0;
  const upkeep = start(await openStore(), async () => {
    batches += 1;
    return 1000;
  });
  await vi.waitUntil(() => batches > 3);
  await upkeep.stop();
  const atStop = batches;
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(batches).toBe(atStop);
});

test('rounds that take long do not pile up', async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<number>();
  let rounds = 0;
  const upkeep = start(await openStore(), () => {
    rounds += 1;
    return held;
  });
  await vi.waitUntil(() => rounds > 0);
  await new Promise((resolve) => setTimeout(resolve, 30));
  const stopped = upkeep.stop();
  release(0);
  await stopped;
  expect(rounds).toBe(1);
});

test('what was used is written once more at the end, also after a failure', async () => {
  const written: string[] = [];
  const recorder = createUseRecorder(
    async (uses) => void written.push(...uses.keys()),
    () => new Date(),
  );
  const failing = async (): Promise<number> => {
    throw new Error('on purpose');
  };
  const upkeep = start(await openStore(), failing, { recorders: [recorder], intervalMs: 60_000 });
  recorder.note('token-1');
  await upkeep.stop();
  expect(written).toEqual(['token-1']);
});
