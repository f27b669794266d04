/** Owns the measurement of logins: the callback's own time, and how many there are in a second. */
import type { BenchContext, Measurement } from './bench-context.ts';
import { createConfiguration, startClaimgate } from './claimgate-process.ts';
import type { LoginLoadResult } from './login-load-messages.ts';
import { LOGIN_ENVIRONMENT, startLoginLoad } from './login-load-process.ts';
import { readProcessorMs } from './process-usage.ts';
import { formatNumber, formatSpread, judgeAtLeast, judgeBelow, writeTable } from './report.ts';
import { makeScratchFolder, removeScratchFolder } from './scratch.ts';
import { findMedian, findQuantile, measureSpread } from './statistics.ts';

export const login: Measurement = {
  name: 'login',
  summary: 'the callback, and logins per second, against an identity provider of its own',
  run: measureLogin,
};

/** In milliseconds, beside what the identity provider takes. */
const CALLBACK_TARGET = 10;
const RATE_TARGET = 200;
const PARALLEL = 16;

interface Rate {
  readonly perSecond: number;
  readonly processorMs: number;
}

async function measureLogin(context: BenchContext) {
  const { alone, rates } = await measureWholeLogins(context);
  const own = alone.map(({ wholeMs, providerMs }) => wholeMs - providerMs);
  const rate = measureSpread(rates.map(({ perSecond }) => perSecond));
  return {
    title: 'Signing in',
    verdicts: [
      judgeBelow(
        {
          what: 'callback, beside what the identity provider takes',
          value: findMedian(own),
          unit: ' ms',
        },
        CALLBACK_TARGET,
      ),
      judgeAtLeast({ what: 'logins on one core', value: rate.median, unit: '/s' }, RATE_TARGET),
    ],
    text: `Through the real server and its browser routes, from \`/login/…\` to the session's cookie, with the example rule; ID token and
userinfo come from an identity provider in another process that signs with ES256. A tenth of the people sign in for the
first time. *Own time* is the callback as the browser sees it, without the time in which the identity provider had a
request in hand.

${writeTable(
  ['', 'median', 'p99'],
  [
    ['callback, as the browser sees it, ms', ...writeTimes(alone.map(({ wholeMs }) => wholeMs))],
    ['of it the identity provider, ms', ...writeTimes(alone.map(({ providerMs }) => providerMs))],
    ['**of it our own time, ms**', ...writeTimes(own)],
  ],
)}

- ${PARALLEL} at once: **${formatSpread(rate)} logins/s** on the server's one core
- processor time of a login: ${formatNumber(findMedian(rates.map(({ processorMs }) => processorMs)))} ms`,
  };
}

const writeTimes = (times: readonly number[]): string[] => [
  formatNumber(findMedian(times)),
  formatNumber(findQuantile(times, 0.99)),
];

async function measureWholeLogins(context: BenchContext) {
  const { machine, quick, note } = context;
  const [rounds, seconds] = quick ? [2, 2] : [5, 5];
  const folder = makeScratchFolder(context.folder);
  const load = await startLoginLoad(machine);
  const claimgate = await startClaimgate(machine, { folder, env: LOGIN_ENVIRONMENT });
  try {
    const ssoConfigurationId = await createConfiguration(claimgate, load.configuration);
    const { port } = claimgate;
    const run = (parallel: number, seconds: number): Promise<LoginLoadResult> =>
      load.run({ port, ssoConfigurationId, parallel, seconds });
    note('login: warming up');
    // The compiler takes a few thousand logins to be done.
    await run(PARALLEL, seconds * 4);
    note('login: one at a time');
    const alone = (await run(1, seconds * 2)).logins;
    const rates: Rate[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const before = readProcessorMs(claimgate.pid) ?? Number.NaN;
      const result = await run(PARALLEL, seconds);
      const processorMs =
        ((readProcessorMs(claimgate.pid) ?? Number.NaN) - before) / result.logins.length;
      const perSecond = result.logins.length / result.seconds;
      rates.push({ perSecond, processorMs });
      note(`login: round ${round} of ${rounds}: ${formatNumber(perSecond)} logins/s`);
    }
    return { alone, rates };
  } finally {
    await claimgate.stop();
    await load.stop();
    removeScratchFolder(folder);
  }
}
