/** Owns the measurement of what a large PostgreSQL database costs: the same calls on a small and a large one, in turns. */
import { AccountService } from '../gen/gitpod/v1/account_pb.ts';
import type { Store } from '../src/domain/ports.ts';
import { parseEncryptionKeys } from '../src/store/keyring.ts';
import { openPostgresStore } from '../src/store/postgres.ts';
import type { BenchContext, Measurement } from './bench-context.ts';
import { startClaimgate } from './claimgate-process.ts';
import type { ClaimgateProcess } from './claimgate-process.ts';
import { openJsonCaller } from './json-caller.ts';
import type { JsonCaller } from './json-caller.ts';
import { fillPostgres } from './postgres-scale-data.ts';
import type { PostgresScaleData } from './postgres-scale-data.ts';
import { BENCH_KEYS, describePostgres, startPostgres } from './postgres-process.ts';
import type { PostgresProcess } from './postgres-process.ts';
import { formatNumber, judgeAtMost, writeTable } from './report.ts';
import { makeScratchFolder, removeScratchFolder } from './scratch.ts';
import { findMedian, findQuantile } from './statistics.ts';

export const discovery: Measurement = {
  name: 'discovery',
  summary: 'discovery by email, and Get, at 100 and at 50,000 organizations on PostgreSQL',
  run: measureDiscovery,
};

const TARGET = 1.3;
const SMALL = 100;

interface Side {
  readonly data: PostgresScaleData;
  readonly server: ClaimgateProcess;
  readonly caller: JsonCaller;
  /** Of what anybody may ask. */
  readonly asker: JsonCaller;
  readonly store: Store;
}

interface Operation {
  readonly name: string;
  /** Resolves when it is done. */
  readonly run: (side: Side, index: number) => Promise<unknown>;
  readonly isCall: boolean;
}

const OPERATIONS: readonly Operation[] = [
  {
    name: 'discovery by email',
    isCall: true,
    run: ({ asker, data }, index) =>
      asker.time(
        AccountService.method.getSSOLoginURL.name,
        { email: at(data.emails, index) },
        // Limits count by address.
        `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
      ),
  },
  {
    name: 'Get',
    isCall: true,
    run: ({ caller, data }, index) =>
      caller.time('GetSSOConfiguration', { ssoConfigurationId: at(data.configurationIds, index) }),
  },
  {
    name: 'discovery by email, from the store',
    isCall: false,
    run: ({ store, data }, index) =>
      store.listSsoConfigurationsForLogin(at(data.emails, index).replace('alice@', '')),
  },
  {
    name: 'Get, from the store',
    isCall: false,
    run: async ({ store, data }, index) =>
      store.findSsoConfiguration(at(data.configurationIds, index)),
  },
];

async function measureDiscovery(context: BenchContext) {
  const { quick, note } = context;
  const [large, samples] = quick ? [2_000, 200] : [50_000, 3_000];
  const folder = makeScratchFolder(context.folder);
  const database = await startPostgres();
  const sides: Side[] = [];
  try {
    for (const organizations of [SMALL, large]) {
      note(`discovery: filling ${formatNumber(organizations)} organizations`);
      sides.push(await openSide(context, database, folder, organizations, samples));
    }
    const [small, big] = sides;
    if (small === undefined || big === undefined) throw new Error('Two sides were opened');
    note(`discovery: ${samples} of each on each side, in turns`);
    return describe(big.data, await compare(small, big, samples));
  } finally {
    for (const { caller, asker, store, server } of sides) {
      caller.close();
      asker.close();
      await store.close();
      await server.stop();
    }
    await database.dispose();
    removeScratchFolder(folder);
  }
}

async function openSide(
  { machine }: BenchContext,
  database: PostgresProcess,
  folder: string,
  organizations: number,
  samples: number,
): Promise<Side> {
  const name = await database.createDatabase();
  const url = database.createUrl(name);
  const env = { ...describePostgres(url), CLAIMGATE_TRUSTED_PROXIES: '127.0.0.1' };
  const server = await startClaimgate(machine, { folder, env });
  const data = await fillPostgres(database, name, organizations, samples);
  const store = await openPostgresStore({ url, keyring: parseEncryptionKeys(BENCH_KEYS) });
  const caller = openJsonCaller(server.port);
  const asker = openJsonCaller(server.port, AccountService.typeName);
  return { data, server, caller, asker, store };
}

interface Comparison {
  readonly operation: Operation;
  readonly small: number[];
  readonly large: number[];
}

/** In turns, and the two sides in changing order, so that both meet the same machine. */
async function compare(small: Side, large: Side, samples: number): Promise<readonly Comparison[]> {
  const results: Comparison[] = OPERATIONS.map((operation) => ({
    operation,
    small: [],
    large: [],
  }));
  const warmUp = Math.ceil(samples / 4);
  for (let index = 0; index < samples + warmUp; index += 1) {
    for (const { operation, ...times } of results) {
      for (const side of index % 2 === 0 ? [small, large] : [large, small]) {
        const startedAt = performance.now();
        await operation.run(side, index);
        const microseconds = (performance.now() - startedAt) * 1000;
        if (index >= warmUp) (side === small ? times.small : times.large).push(microseconds);
      }
    }
  }
  return results;
}

function describe(
  { organizations, configurations }: PostgresScaleData,
  results: readonly Comparison[],
) {
  const rows = results.map(({ operation, small, large }) => [
    operation.name,
    `${findRatio({ small, large }).toFixed(2)}×`,
    writeTimes(small),
    writeTimes(large),
  ]);
  return {
    title: `PostgreSQL with ${formatNumber(organizations)} organizations`,
    verdicts: results
      .filter(({ operation }) => operation.isCall)
      .map(({ operation, ...times }) =>
        judgeAtMost(
          {
            what: `${operation.name} at ${formatNumber(organizations)} organizations, beside ${SMALL}`,
            value: findRatio(times),
            unit: '×',
          },
          TARGET,
        ),
      ),
    text: `${formatNumber(configurations)} configurations, each with a domain that its organization has proved, beside ${SMALL} organizations with as
many each. One call at a time, on two servers in turns, with random ids and emails; median, and p99 behind it. Discovery
through the API counts two limits in the database before it looks.

${writeTable(['', 'large ÷ small', 'small, µs', 'large, µs'], rows)}`,
  };
}

const findRatio = ({ small, large }: Pick<Comparison, 'small' | 'large'>): number =>
  findMedian(large) / findMedian(small);

const writeTimes = (times: readonly number[]): string =>
  `${formatNumber(findMedian(times))} (${formatNumber(findQuantile(times, 0.99))})`;

function at(list: readonly string[], index: number): string {
  const item = list[index % list.length];
  if (item === undefined) throw new Error('There is nothing to pick from');
  return item;
}
