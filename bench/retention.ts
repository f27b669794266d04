/**
 * Owns the measurement of what logins leave behind on PostgreSQL: bytes of each kind, what a month of them comes to with
 * the times for which each is kept, and what the forgetting costs while calls are served.
 */
import { parseConfig } from '../src/config.ts';
import type { Config } from '../src/config.ts';
import { PENDING_LOGIN_LIFETIME } from '../src/domain/pending-login.ts';
import { parseEncryptionKeys } from '../src/store/keyring.ts';
import { openPostgresStore } from '../src/store/postgres.ts';
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
import { LOGIN_ENVIRONMENT, startLoginLoad } from './login-load-process.ts';
import type { Machine } from './machine.ts';
import { BENCH_KEYS, describePostgres, startPostgres } from './postgres-process.ts';
import type { PostgresProcess } from './postgres-process.ts';
import { formatNumber, judgeBelow, writeTable } from './report.ts';
import { makeScratchFolder, removeScratchFolder } from './scratch.ts';

export const retention: Measurement = {
  name: 'retention',
  summary: 'what logins leave behind on PostgreSQL, and what forgetting it costs',
  run: measureRetention,
};

/** In GB (10⁹ bytes), for a month of so many logins per second. */
const TARGET = 5;
const RATE = 10;
const PARALLEL = 16;
/** As `upkeep.ts` has it. */
const BATCH = 1000;
const HOUR_MS = 3_600_000;

interface Kind {
  readonly table: string;
  /** How long such a row is kept with the settings as they come, in milliseconds. */
  readonly keptMs: (config: Config) => number;
}

/** What each login adds a row to; people and their identities stay for good, and are counted by people, not by logins. */
const KINDS: readonly Kind[] = [
  { table: 'pending_login', keptMs: () => PENDING_LOGIN_LIFETIME + HOUR_MS },
  { table: 'session', keptMs: ({ sessionLifetime }) => sessionLifetime.absoluteMs },
  {
    table: 'login_attempt',
    keptMs: ({ auditRetention, attemptRetention }) =>
      Math.min(auditRetention.signInMaxAgeMs, attemptRetention.maxAgeMs),
  },
  // A count of a minute, for each limit that a login passes.
  { table: 'rate_limit', keptMs: () => HOUR_MS + 60_000 },
];

interface Size extends Kind {
  readonly rows: number;
  /** With indexes, for each login. */
  readonly bytes: number;
}

async function measureRetention(context: BenchContext) {
  const { machine, quick, note } = context;
  const count = quick ? 500 : 10_000;
  const folder = makeScratchFolder(context.folder);
  const database = await startPostgres();
  const name = await database.createDatabase();
  const url = database.createUrl(name);
  const load = await startLoginLoad(machine);
  const env = { ...describePostgres(url), ...LOGIN_ENVIRONMENT };
  const server = await startClaimgate(machine, { folder, env });
  try {
    const ssoConfigurationId = await createConfiguration(server, load.configuration);
    const empty = await readSizes(database, name);
    let logins = 0;
    while (logins < count) {
      const command = { port: server.port, ssoConfigurationId, parallel: PARALLEL, seconds: 5 };
      logins += (await load.run(command)).logins.length;
      note(`retention: ${formatNumber(logins)} of ${formatNumber(count)} logins`);
    }
    const full = await readSizes(database, name);
    const sizes = KINDS.map((kind, index) => ({
      ...kind,
      rows: (full[index]?.rows ?? 0) / logins,
      bytes: ((full[index]?.bytes ?? 0) - (empty[index]?.bytes ?? 0)) / logins,
    }));
    const [row] = await database.run(
      'select avg(octet_length(claims))::int as bytes from login_attempt where claims is not null',
      name,
    );
    note('retention: forgetting all of it while calls are served');
    const pruning = await measurePruning(context, server, ssoConfigurationId, url);
    return describe(logins, sizes, Number(row?.['bytes']), pruning);
  } finally {
    await load.stop();
    await server.stop();
    await database.dispose();
    removeScratchFolder(folder);
  }
}

/** Of each kind's table with its indexes, without what its own updates have left. */
async function readSizes(
  database: PostgresProcess,
  name: string,
): Promise<readonly { readonly rows: number; readonly bytes: number }[]> {
  const sizes: { rows: number; bytes: number }[] = [];
  for (const { table } of KINDS) {
    await database.run(`vacuum full ${table}`, name);
    const [row] = await database.run(
      `select (select count(*) from ${table})::int as rows, pg_total_relation_size('${table}')::int as bytes`,
      name,
    );
    sizes.push({ rows: Number(row?.['rows']), bytes: Number(row?.['bytes']) });
  }
  return sizes;
}

interface Pruning {
  readonly rows: number;
  readonly seconds: number;
  readonly longestBatchMs: number;
  readonly quiet: LoadResult;
  readonly pruned: LoadResult;
}

/** As `upkeep.ts` does it, batch after batch, by a clock that is a year ahead. */
async function measurePruning(
  { machine, quick }: BenchContext,
  server: ClaimgateProcess,
  ssoConfigurationId: string,
  url: string,
): Promise<Pruning> {
  const seconds = quick ? 2 : 5;
  const get = () => loadGet(machine, server, ssoConfigurationId, seconds);
  await get();
  const quiet = await get();
  const store = await openPostgresStore({ url, keyring: parseEncryptionKeys(BENCH_KEYS) });
  const { sessionLifetime, attemptRetention, auditRetention } = parseConfig({});
  const now = new Date(Date.now() + 360 * 24 * HOUR_MS);
  const expiry = { now, sessionLifetime, attemptRetention, auditRetention, limit: BATCH };
  const prune = async () => {
    const startedAt = performance.now();
    let rows = 0;
    let longestBatchMs = 0;
    for (let forgotten = BATCH; forgotten >= BATCH;) {
      const batchAt = performance.now();
      forgotten = await store.transaction((tx) => tx.forgetExpired(expiry));
      longestBatchMs = Math.max(longestBatchMs, performance.now() - batchAt);
      rows += forgotten;
    }
    return { rows, seconds: (performance.now() - startedAt) / 1000, longestBatchMs };
  };
  const [pruning, pruned] = await Promise.all([prune(), get()]);
  await store.close();
  return { ...pruning, quiet, pruned };
}

function loadGet(
  machine: Machine,
  { port }: ClaimgateProcess,
  ssoConfigurationId: string,
  seconds: number,
): Promise<LoadResult> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${OPERATOR_TOKEN}` };
  const body = Buffer.from(JSON.stringify({ ssoConfigurationId }));
  const path = `/${ORGANIZATION_SERVICE}/GetSSOConfiguration`;
  return loadHttp1(machine, { port, path, headers, body }, PARALLEL, { seconds });
}

function describe(
  logins: number,
  sizes: readonly Size[],
  claimsBytes: number,
  { rows, seconds, longestBatchMs, quiet, pruned }: Pruning,
) {
  const config = parseConfig({});
  const totals = sizes.map((size) => {
    const kept = RATE * (size.keptMs(config) / 1000);
    return { ...size, kept, gigabytes: (kept * size.bytes) / 1e9 };
  });
  const total = totals.reduce((sum, { gigabytes }) => sum + gigabytes, 0);
  const cells = totals.map(({ table, rows, bytes, kept, keptMs, gigabytes }) => [
    table,
    formatNumber(rows),
    formatNumber(bytes),
    formatNumber(keptMs(config) / HOUR_MS),
    formatNumber(kept),
    formatNumber(gigabytes),
  ]);
  const what = `a month of ${RATE} logins per second, on PostgreSQL`;
  return {
    title: 'What logins leave behind',
    verdicts: [judgeBelow({ what, value: total, unit: ' GB' }, TARGET)],
    text: `${formatNumber(logins)} logins through the real server on PostgreSQL, then the tables' sizes with all indexes, without the empty space
that updates leave. *Kept* is the longest that a row stays with the settings as they come, and how many there are of it
when logins never cease: ${RATE} × 3,600 × hours. It is the same after a month as after a year.

${writeTable(
  ['', 'rows a login', 'bytes a login', 'kept, hours', 'logins kept', 'GB'],
  [...cells, ['**together**', '', '', '', '', `**${formatNumber(total)}**`]],
)}

- Claims are kept of the newest ${config.attemptRetention.claimsPerConfiguration} attempts of a configuration, ${formatNumber(claimsBytes)} bytes of each of these people: that is
  ${formatNumber((config.attemptRetention.claimsPerConfiguration * claimsBytes) / 1e6)} MB for each configuration that is used so much, beside the above.
- Forgetting all of it: ${formatNumber(rows)} rows in ${formatNumber(seconds)} s, **${formatNumber(rows / seconds)} rows/s** in batches of ${formatNumber(BATCH)} of each kind,
  the longest of which took ${formatNumber(longestBatchMs)} ms. ${RATE} logins per second need ${formatNumber(RATE * sizes.reduce((sum, size) => sum + size.rows, 0))} rows/s.
- Get meanwhile: ${formatNumber(pruned.perSecond)}/s, p99 ${formatNumber(pruned.p99)} ms; before it ${formatNumber(quiet.perSecond)}/s, p99 ${formatNumber(quiet.p99)} ms`,
  };
}
