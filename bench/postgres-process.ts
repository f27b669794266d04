/** Owns the PostgreSQL that benchmarks run on: as tests start it, but with its commits on the disk and more memory. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { startPostgresServer } from '../test/store/postgres-server.ts';
import type { PostgresServer } from '../test/store/postgres-server.ts';
import { readProcessorMs } from './process-usage.ts';

export interface PostgresProcess extends PostgresServer {
  /** Of all its processes that live now, in milliseconds. */
  readonly readProcessorMs: () => number;
}

/** What an operator would set on a machine of this size. */
const SETTINGS = {
  fsync: 'on',
  shared_buffers: '1GB',
  max_wal_size: '4GB',
  maintenance_work_mem: '256MB',
};

/** On all cores: beside a server and its load, it has to find its time where there is some. */
export async function startPostgres(): Promise<PostgresProcess> {
  const server = await startPostgresServer(SETTINGS);
  const [line = ''] = readFileSync(join(server.folder, 'data', 'postmaster.pid'), 'utf8').split(
    '\n',
  );
  const pid = Number(line);
  spawnSync('taskset', ['-a', '-p', 'ffffffff', String(pid)], { stdio: 'ignore' });
  return {
    ...server,
    readProcessorMs() {
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
      const pids = [pid, ...children.split(' ').map(Number)];
      return pids.reduce((sum, each) => sum + (readProcessorMs(each) ?? 0), 0);
    },
  };
}

/** What a server needs to run on this database. */
export function describePostgres(url: string): Record<string, string> {
  return {
    CLAIMGATE_DATABASE_URL: url,
    CLAIMGATE_ENCRYPTION_KEYS: BENCH_KEYS,
  };
}

/** The key of the benchmark, as `CLAIMGATE_ENCRYPTION_KEYS` has it. */
export const BENCH_KEYS = `bench:${Buffer.alloc(32, 3).toString('base64')}`;
