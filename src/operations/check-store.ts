/** Owns looking at the store: whether it opens, is whole, takes writes and has room, and whether its secrets open. */
import { existsSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

import type { Config } from '../config.ts';
import { describeDatabase } from '../open-store.ts';
import { hasUnfinishedCopy } from '../store/copy-store.ts';
import { KeyFileError } from '../store/key-file.ts';
import { readNumber } from '../store/plain-database.ts';
import type { PlainDatabase } from '../store/plain-database.ts';
import { findProblem, openPlainSqlite } from '../store/plain-sqlite.ts';
import { CURRENT_VERSION, readSchema } from '../store/store-schema.ts';
import { countSecrets, sampleSecrets } from '../store/stored-secrets.ts';
import { fail, judgeClock, ok, warn } from './finding.ts';
import type { Finding } from './finding.ts';
import { findKeys, openPlain } from './open-plain.ts';

/** In bytes. */
const ROOM = { warning: 1024 ** 3, failed: 100 * 1024 ** 2 } as const;

/** Hands on the store where its schema is the current one, to be closed by the caller. */
export async function checkStore(
  config: Config,
  report: (...findings: readonly Finding[]) => void,
): Promise<PlainDatabase | undefined> {
  const { database } = config;
  const name = describeDatabase(database);
  if (database.kind === 'sqlite' && !existsSync(database.file)) {
    report(
      warn('store', `There is no database ${name} yet.`, 'The first "claimgate serve" makes it.'),
    );
    return undefined;
  }
  let plain: PlainDatabase;
  try {
    plain = await openPlain(database, 'beside');
  } catch (error) {
    report(fail('store', readMessage(error), 'The server does not start on it.'));
    return undefined;
  }
  try {
    const isCurrent = await checkSchema(plain, report);
    if (database.kind === 'sqlite') await checkFile(name, report);
    if (isCurrent) {
      await checkWriting(plain, report);
      await checkSecrets(config, plain, report);
      if (plain.kind === 'postgres') await checkClock(plain, report);
      return plain;
    }
  } catch (error) {
    report(fail('store', readMessage(error), 'Look at the disk and at the log of the database.'));
  }
  await plain.close();
  return undefined;
}

type Report = (...findings: readonly Finding[]) => void;

async function checkSchema(plain: PlainDatabase, report: Report): Promise<boolean> {
  const { state, version } = await readSchema(plain);
  if (await hasUnfinishedCopy(plain)) {
    report(
      fail(
        'store',
        `${plain.name} holds a part of a copy.`,
        'Run the same claimgate migrate again, or restore a backup into it.',
      ),
    );
    return false;
  }
  if (state === 'current') {
    report(ok('store', `${plain.name} opens; its schema is ${version}.`));
    return true;
  }
  report(
    state === 'newer'
      ? fail(
          'store',
          `${plain.name} has the schema ${version}, and this version knows ${CURRENT_VERSION}.`,
          'Start the version that made it, or a later one.',
        )
      : warn(
          'store',
          `${plain.name} has ${state === 'none' ? 'no tables yet' : `the older schema ${version}`}.`,
          'The next "claimgate serve" of this version brings it up to date; make a backup before.',
        ),
  );
  return false;
}

async function checkFile(file: string, report: Report): Promise<void> {
  // On a connection of its own, which may find the file damaged.
  const plain = await openPlainSqlite(file, 'beside');
  const problem = findProblem(plain.database);
  await plain.close();
  report(
    problem === undefined
      ? ok('integrity', 'All pages, indexes and references are whole.')
      : fail(
          'integrity',
          `The file is damaged: ${problem}.`,
          'Stop the server and restore a backup.',
        ),
  );
  const { mode, size } = await stat(file);
  if ((mode & 0o077) !== 0) {
    report(
      warn(
        'file mode',
        `Others than its owner may read ${file} (mode ${(mode & 0o777).toString(8)}).`,
        `Run: chmod 600 ${file}`,
      ),
    );
  }
  const { bavail, bsize } = await statfs(dirname(file));
  report(judgeRoom(bavail * bsize, size));
}

function judgeRoom(free: number, size: number): Finding {
  const gigabytes = (bytes: number): string =>
    bytes < 1024 ** 3 / 10 ? 'less than 0.1 GiB' : `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
  const seen = `${gigabytes(free)} free on the disk of the database, which takes ${gigabytes(size)}.`;
  if (free < ROOM.failed) return fail('disk', seen, 'Free some: writes are about to be refused.');
  if (free < ROOM.warning || free < size) {
    return warn('disk', seen, 'Free some: a backup needs as much as the database has.');
  }
  return ok('disk', seen);
}

/** As readiness asks: a count that means nothing goes up by one, on the disk. */
async function checkWriting(plain: PlainDatabase, report: Report): Promise<void> {
  const startedAt = performance.now();
  try {
    await plain.transaction(() =>
      plain.run(`update store_lock set write_count = write_count + 1 where name = 'writable'`),
    );
    const milliseconds = Math.ceil(performance.now() - startedAt);
    report(ok('writing', `A write was on the disk within ${milliseconds} ms.`));
  } catch (error) {
    report(
      fail(
        'writing',
        `The store takes no writes: ${readMessage(error)}.`,
        'Check free space, the mode of the file and its folder, and that nothing keeps it locked.',
      ),
    );
  }
}

async function checkSecrets(config: Config, plain: PlainDatabase, report: Report): Promise<void> {
  const uses = await countSecrets(plain);
  const count = uses.reduce((sum, { secrets }) => sum + secrets, 0);
  try {
    const found = await findKeys(config, [config.database]);
    if (found === undefined) {
      report(
        fail(
          'keys',
          `Secrets are stored (${count}), and no keys are here.`,
          'Put the key file back, or set CLAIMGATE_ENCRYPTION_KEYS.',
        ),
      );
      return;
    }
    const problems = await sampleSecrets(plain, uses, found.keyring);
    const reasons = [...new Set(problems.map(({ table, reason }) => `${table}: ${reason}`))];
    report(
      reasons.length === 0
        ? ok(
            'keys',
            `Of the secrets (${count}), one of each kind under each key opens with ${found.place}.`,
          )
        : fail(
            'keys',
            `Secrets do not open. ${reasons.join(' ')}`,
            `Put the missing keys back into ${found.place}.`,
          ),
    );
  } catch (error) {
    if (!(error instanceof KeyFileError)) throw error;
    report(fail('keys', error.message, 'The server does not start with this key file.'));
  }
}

async function checkClock(plain: PlainDatabase, report: Report): Promise<void> {
  const before = Date.now();
  const there = await readNumber(
    plain,
    'select (extract(epoch from clock_timestamp()) * 1000)::bigint as now',
  );
  report(judgeClock('clock', there - (before + Date.now()) / 2, 'the database'));
}

function readMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
