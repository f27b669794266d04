/** Owns the measurement of what PostgreSQL costs beside SQLite: the same calls of the same server, in turns. */
import pg from 'pg';

import type { BenchContext, Measurement } from './bench-context.ts';
import {
  createConfiguration,
  OPERATOR_TOKEN,
  ORGANIZATION_SERVICE,
  startClaimgate,
} from './claimgate-process.ts';
import type { ClaimgateProcess } from './claimgate-process.ts';
import { loadHttp1 } from './load.ts';
import type { LoadResult } from './load.ts';
import { describePostgres, startPostgres } from './postgres-process.ts';
import type { PostgresProcess } from './postgres-process.ts';
import { readProcessorMs } from './process-usage.ts';
import { formatNumber, formatSpread, judgeAtLeast, writeTable } from './report.ts';
import { makeScratchFolder, removeScratchFolder } from './scratch.ts';
import { findMedian, measureSpread } from './statistics.ts';

export const postgres: Measurement = {
  name: 'postgres',
  summary: 'Get and Update on PostgreSQL, beside SQLite',
  run: measurePostgres,
};

const CONNECTIONS = 32;
/** The least share of Get on PostgreSQL in the rate of Get on SQLite. */
const TARGET = 0.6;

const METHODS = ['GetSSOConfiguration', 'UpdateSSOConfiguration'] as const;

interface Side {
  readonly name: string;
  readonly server: ClaimgateProcess;
  readonly id: string;
  /** Of the database, where it is a process of its own. */
  readonly readDatabaseMs: () => number;
}

interface Round extends LoadResult {
  /** What an answer cost the server and the database, in microseconds. */
  readonly serverUs: number;
  readonly databaseUs: number;
}

async function measurePostgres(context: BenchContext) {
  const folder = makeScratchFolder(context.folder);
  const database = await startPostgres();
  const sides: Side[] = [];
  try {
    sides.push(await openSide(context, 'SQLite', folder, {}, () => 0));
    const url = database.createUrl(await database.createDatabase());
    sides.push(
      await openSide(
        context,
        'PostgreSQL',
        folder,
        describePostgres(url),
        database.readProcessorMs,
      ),
    );
    const rounds = await race(context, sides);
    return describe(await measureRoundTrip(database), rounds);
  } finally {
    for (const { server } of sides) await server.stop();
    await database.dispose();
    removeScratchFolder(folder);
  }
}

async function openSide(
  { machine }: BenchContext,
  name: string,
  folder: string,
  env: Readonly<Record<string, string>>,
  readDatabaseMs: () => number,
): Promise<Side> {
  const server = await startClaimgate(machine, { folder, env });
  return { name, server, id: await createConfiguration(server), readDatabaseMs };
}

async function race({ machine, quick, note }: BenchContext, sides: readonly Side[]) {
  const [count, seconds, warmUp] = quick ? [2, 2, 3] : [5, 5, 10];
  const load = ({ server, id }: Side, method: string, seconds: number): Promise<LoadResult> => {
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${OPERATOR_TOKEN}`,
    };
    const update = method.startsWith('Update') ? { displayName: 'Acme staff' } : {};
    const body = Buffer.from(JSON.stringify({ ssoConfigurationId: id, ...update }));
    const path = `/${ORGANIZATION_SERVICE}/${method}`;
    return loadHttp1(machine, { port: server.port, path, headers, body }, CONNECTIONS, { seconds });
  };
  const rounds = METHODS.flatMap((method) =>
    sides.map((side) => ({ method, side, results: [] as Round[] })),
  );
  for (const { method, side } of rounds) await load(side, method, warmUp);
  for (let round = 1; round <= count; round += 1) {
    for (const { method, side, results } of rounds) {
      const server = readProcessorMs(side.server.pid) ?? Number.NaN;
      const database = side.readDatabaseMs();
      const result = await load(side, method, seconds);
      const serverMs = (readProcessorMs(side.server.pid) ?? Number.NaN) - server;
      const databaseMs = side.readDatabaseMs() - database;
      results.push({
        ...result,
        serverUs: (serverMs * 1000) / result.answers,
        databaseUs: (databaseMs * 1000) / result.answers,
      });
      note(
        `postgres: round ${round}: ${method} on ${side.name} ${formatNumber(result.perSecond)}/s`,
      );
    }
  }
  return rounds;
}

/** Of an empty statement on one connection: what no driver can do without. In microseconds. */
async function measureRoundTrip(database: PostgresProcess): Promise<number> {
  const client = new pg.Client({ connectionString: database.createUrl('postgres') });
  await client.connect();
  const times: number[] = [];
  for (let index = 0; index < 2000; index += 1) {
    const startedAt = performance.now();
    await client.query('select 1');
    times.push((performance.now() - startedAt) * 1000);
  }
  await client.end();
  return findMedian(times);
}

function describe(roundTrip: number, rounds: Awaited<ReturnType<typeof race>>) {
  const find = (method: string, name: string): readonly Round[] =>
    rounds.find((each) => each.method === method && each.side.name === name)?.results ?? [];
  const findRatio = (method: string): number => {
    const base = find(method, 'SQLite');
    return findMedian(
      find(method, 'PostgreSQL').map(
        ({ perSecond }, round) => perSecond / (base[round]?.perSecond ?? Number.NaN),
      ),
    );
  };
  const rows = rounds.map(({ method, side: { name }, results }) => [
    `${method} on ${name}`,
    name === 'SQLite' ? '' : `${findRatio(method).toFixed(2)}×`,
    formatSpread(measureSpread(results.map(({ perSecond }) => perSecond))),
    formatNumber(findMedian(results.map(({ serverUs }) => serverUs))),
    formatNumber(findMedian(results.map(({ databaseUs }) => databaseUs))),
    formatNumber(findMedian(results.map(({ p50 }) => p50))),
    formatNumber(findMedian(results.map(({ p99 }) => p99))),
  ]);
  const goal = {
    what: 'Get on PostgreSQL, beside SQLite',
    value: findRatio(METHODS[0]),
    unit: '×',
  };
  return {
    title: 'PostgreSQL beside SQLite',
    verdicts: [judgeAtLeast(goal, TARGET)],
    text: `The same server on each, ${CONNECTIONS} connections over HTTP/1.1 JSON. PostgreSQL is on the same machine and shares its cores with
the server and the load; its commits reach the disk, as SQLite's do. All updates are of one row, so that PostgreSQL
makes one at a time. A bare \`select 1\` on one connection takes ${formatNumber(roundTrip)} µs. Median, and in
parentheses the least and the most of the rounds; processor time is of the server and of the database.

${writeTable(['', 'beside SQLite', 'answers/s', 'server, µs', 'database, µs', 'p50, ms', 'p99, ms'], rows)}`,
  };
}
