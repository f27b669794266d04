/** Owns the measurement of what a large database costs: the same calls on a small and a large one, in turns. */
import { setImmediate } from 'node:timers/promises';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

import type { Store } from '../src/domain/ports.ts';
import { loadOrCreateKeyFile } from '../src/store/key-file.ts';
import { openSqliteStore } from '../src/store/sqlite.ts';
import type { BenchContext, Measurement } from './bench-context.ts';
import { startClaimgate } from './claimgate-process.ts';
import type { ClaimgateProcess } from './claimgate-process.ts';
import { openJsonCaller } from './json-caller.ts';
import type { JsonCaller } from './json-caller.ts';
import { formatNumber, judgeAtMost, writeTable } from './report.ts';
import { fillDatabase } from './scale-data.ts';
import type { ScaleData } from './scale-data.ts';
import { makeScratchFolder, removeScratchFolder } from './scratch.ts';
import { findMedian, findQuantile } from './statistics.ts';

export const scale: Measurement = {
  name: 'scale',
  summary: 'Get and List at 1,000 and at 1,000,000 configurations',
  run: measureScale,
};

const TARGET = 1.3;
const PAGE = 25;
const SMALL = 1_000;
/** Steps into the big organization's list, for pages from its midst. */
const MAX_DEEP_PAGES = 1_000;

interface Side {
  readonly data: ScaleData;
  readonly server: ClaimgateProcess;
  readonly caller: JsonCaller;
  readonly store: Store;
  readonly folder: string;
  readonly pageTokens: readonly string[];
}

/** One operation, through both doors. Resolves to how long it took, in microseconds. */
interface Operation {
  readonly name: string;
  readonly call: (side: Side, index: number) => Promise<number>;
  readonly read: (side: Side, index: number) => unknown;
}

const OPERATIONS: readonly Operation[] = [
  {
    name: 'Get',
    call: ({ caller, data }, index) =>
      time(caller, 'GetSSOConfiguration', { ssoConfigurationId: at(data.configurationIds, index) }),
    read: ({ store, data }, index) => store.findSsoConfiguration(at(data.configurationIds, index)),
  },
  {
    name: 'List of 25',
    call: ({ caller, data }, index) =>
      time(caller, 'ListSSOConfigurations', { organizationId: at(data.organizationIds, index) }),
    read: ({ store, data }, index) =>
      store.listSsoConfigurations(at(data.organizationIds, index), { size: PAGE }),
  },
  {
    name: 'List of 25, any page of the largest organization',
    call: ({ caller, data, pageTokens }, index) =>
      time(caller, 'ListSSOConfigurations', {
        organizationId: data.bigOrganizationId,
        pagination: { token: at(pageTokens, index * 7919), pageSize: PAGE },
      }),
    // The token holds the digest of its list in 9 bytes, and then its cursor.
    read: ({ store, data, pageTokens }, index) =>
      store.listSsoConfigurations(data.bigOrganizationId, {
        size: PAGE,
        after: readCursor(at(pageTokens, index * 7919)),
      }),
  },
];

async function measureScale(context: BenchContext) {
  const { quick, note } = context;
  const large = quick ? 50_000 : 1_000_000;
  const samples = quick ? 300 : 4_000;
  const sides: Side[] = [];
  try {
    for (const size of [SMALL, large]) sides.push(await openSide(context, size, samples));
    const [small, big] = sides;
    if (small === undefined || big === undefined) throw new Error('Two sides were opened');
    note(`scale: ${samples} calls of each kind on each side, in turns`);
    const calls = await compare(small, big, samples, (operation, side, index) =>
      operation.call(side, index),
    );
    note(`scale: the same straight from the store`);
    const reads = await compare(small, big, samples, async (operation, side, index) => {
      const startedAt = performance.now();
      await operation.read(side, index);
      return (performance.now() - startedAt) * 1000;
    });
    return describe(calls, reads, large, statSync(join(big.folder, 'claimgate.db')).size);
  } finally {
    for (const side of sides) await closeSide(side);
  }
}

async function openSide(
  { machine, note, folder: parent }: BenchContext,
  size: number,
  samples: number,
) {
  const folder = makeScratchFolder(parent);
  const maker = await startClaimgate(machine, { folder });
  await maker.stop();
  const data = fillDatabase({ folder, size, samples, note: (text) => note(`scale: ${text}`) });
  const server = await startClaimgate(machine, { folder });
  const caller = openJsonCaller(server.port);
  const keyring = await loadOrCreateKeyFile(join(folder, 'claimgate.key'));
  const store = await openSqliteStore({ file: join(folder, 'claimgate.db'), keyring });
  const pageTokens = await collectPageTokens(caller, data.bigOrganizationId);
  return { data, server, caller, store, folder, pageTokens };
}

async function closeSide({ caller, store, server, folder }: Side): Promise<void> {
  caller.close();
  await store.close();
  await server.stop();
  removeScratchFolder(folder);
}

const listAnswer = z.object({ pagination: z.object({ nextToken: z.string() }) });

async function collectPageTokens(caller: JsonCaller, organizationId: string): Promise<string[]> {
  const tokens: string[] = [];
  let token = '';
  do {
    const pagination = { token, pageSize: PAGE };
    const { text } = await caller.time('ListSSOConfigurations', { organizationId, pagination });
    const answer = listAnswer.parse(JSON.parse(text));
    token = answer.pagination.nextToken;
    if (token !== '') tokens.push(token);
  } while (token !== '' && tokens.length < MAX_DEEP_PAGES);
  return tokens;
}

interface Comparison {
  readonly name: string;
  readonly small: readonly number[];
  readonly large: readonly number[];
}

/** In turns, and the two sides in changing order, so that both meet the same machine. */
async function compare(
  small: Side,
  large: Side,
  samples: number,
  measure: (operation: Operation, side: Side, index: number) => Promise<number>,
): Promise<Comparison[]> {
  const results = OPERATIONS.map(({ name }) => ({
    name,
    small: [] as number[],
    large: [] as number[],
  }));
  const warmUp = Math.ceil(samples / 4);
  for (let index = 0; index < samples + warmUp; index += 1) {
    for (const [place, operation] of OPERATIONS.entries()) {
      const order = index % 2 === 0 ? ([small, large] as const) : ([large, small] as const);
      for (const side of order) {
        const microseconds = await measure(operation, side, index);
        const result = results[place];
        if (index >= warmUp) (side === small ? result?.small : result?.large)?.push(microseconds);
      }
    }
    // Lets servers that were stopped, signals and the like be heard in between.
    await setImmediate();
  }
  return results;
}

function describe(
  calls: readonly Comparison[],
  reads: readonly Comparison[],
  size: number,
  bytes: number,
) {
  const verdicts = calls.map((comparison) =>
    judgeAtMost(
      {
        what: `${comparison.name} at ${formatNumber(size)} configurations, beside 1,000`,
        value: findRatio(comparison),
        unit: '×',
      },
      TARGET,
    ),
  );
  return {
    title: `From 1,000 to ${formatNumber(size)} configurations`,
    verdicts,
    text: `One call at a time, on two servers in turns, with random ids; median, and p99 behind it. Organizations have 20 to 1,000
configurations, and one has a tenth of all; the rows of an organization lie all over the file, which has
${formatNumber(bytes / 1e6)} MB. *Through the API* is what a caller waits, *from the store* what the database does of it.

### Through the API

${writeComparisons(calls)}

### From the store

${writeComparisons(reads)}`,
  };
}

function writeComparisons(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map((comparison) => [
    comparison.name,
    `${findRatio(comparison).toFixed(2)}×`,
    writeTimes(comparison.small),
    writeTimes(comparison.large),
  ]);
  return writeTable(['', 'large ÷ small', 'small, µs', 'large, µs'], rows);
}

const findRatio = ({ small, large }: Comparison): number => findMedian(large) / findMedian(small);

const writeTimes = (times: readonly number[]): string =>
  `${formatNumber(findMedian(times))} (${formatNumber(findQuantile(times, 0.99))})`;

async function time(caller: JsonCaller, method: string, message: object): Promise<number> {
  return (await caller.time(method, message)).microseconds;
}

function readCursor(token: string): [id: string] {
  return z
    .tuple([z.string()])
    .parse(JSON.parse(Buffer.from(token, 'base64url').subarray(9).toString()));
}

function at<Item>(list: readonly Item[], index: number): Item {
  const item = list[index % list.length];
  if (item === undefined) throw new Error('There is nothing to pick from');
  return item;
}
