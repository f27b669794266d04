/**
 * Measures what a claims verdict costs: the rule that everyone writes first, warm, and the hostile rules of the tests
 * at their worst. Run it with `node bench/claims-policy.ts`.
 */
import {
  ClaimsExpressionError,
  compileClaimsExpression,
  evaluateClaims,
} from '../src/domain/claims-policy.ts';
import type { JsonObject } from '../src/domain/claims-policy.ts';
import { HOSTILE_CASES } from '../test/domain/claims-policy-hostile-cases.ts';
import { formatBenchRows } from './bench-row.ts';
import type { BenchRow } from './bench-row.ts';

const EXAMPLE = 'claims.email_verified && claims.email.endsWith("@example.com")';
const CLAIMS: JsonObject = {
  iss: 'https://idp.example.com',
  sub: '248289761001',
  aud: 'claimgate',
  exp: 1_700_003_600,
  iat: 1_700_000_000,
  auth_time: 1_700_000_000,
  nonce: 'n-0S6_WzA2Mj',
  email: 'alice@example.com',
  email_verified: true,
  name: 'Alice Example',
  picture: 'https://idp.example.com/alice.png',
  groups: ['staff', 'engineering', 'on-call'],
};
const ROUNDS = 20_000;
/** The best of so many: what the machine does beside is no property of the rule. */
const HOSTILE_RUNS = 3;

/** Rows for the example rule and for the worst of the hostile ones; the latter take some seconds in all. */
export async function runClaimsPolicyBench(): Promise<readonly BenchRow[]> {
  const verdict = measureVerdict();
  const compile = measureCompile();
  // Lets a runner that prints as it goes do so before the long part.
  await new Promise((resolve) => setImmediate(resolve));
  const hostile = HOSTILE_CASES.map(measureHostile);
  const worst = hostile.reduce((most, one) => (one.ms > most.ms ? one : most));
  const largest = hostile.reduce((most, one) => (one.mb > most.mb ? one : most));
  return [
    {
      name: 'claims → verdict, the example rule, warm',
      value: verdict,
      unit: 'µs',
      target: '< 50',
    },
    { name: 'compile the example rule, warm', value: compile, unit: 'µs' },
    {
      name: `worst time of ${HOSTILE_CASES.length} hostile rules (${worst.name})`,
      value: worst.ms,
      unit: 'ms',
      target: '≤ 250',
    },
    {
      name: `worst memory of them (${largest.name})`,
      value: largest.mb,
      unit: 'MB',
      target: '≤ 64',
    },
  ];
}

function measureVerdict(): number {
  const rule = compileClaimsExpression(EXAMPLE);
  const run = (): void => {
    for (let i = 0; i < ROUNDS; i += 1) {
      if (!evaluateClaims(rule, CLAIMS).allowed)
        throw new Error('the example rule must let Alice in');
    }
  };
  run();
  const started = performance.now();
  run();
  return ((performance.now() - started) * 1_000) / ROUNDS;
}

function measureCompile(): number {
  const rounds = ROUNDS / 20;
  for (let i = 0; i < rounds; i += 1) compileClaimsExpression(EXAMPLE);
  const started = performance.now();
  for (let i = 0; i < rounds; i += 1) compileClaimsExpression(EXAMPLE);
  return ((performance.now() - started) * 1_000) / rounds;
}

interface HostileCost {
  readonly name: string;
  readonly ms: number;
  /** Growth of the heap, garbage that has not been collected included: an upper bound of what the rule needs. */
  readonly mb: number;
}

function measureHostile({ name, expression, claims }: (typeof HOSTILE_CASES)[number]): HostileCost {
  const given = claims();
  let ms = Infinity;
  let mb = Infinity;
  for (let run = 0; run < HOSTILE_RUNS; run += 1) {
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    const started = performance.now();
    judge(expression, given);
    ms = Math.min(ms, performance.now() - started);
    mb = Math.min(mb, Math.max(0, process.memoryUsage().heapUsed - before) / 1_000_000);
  }
  return { name, ms, mb };
}

/** Compiles too: a hostile expression may do its work there. */
function judge(expression: string, claims: JsonObject): void {
  try {
    evaluateClaims(compileClaimsExpression(expression), claims);
  } catch (error) {
    if (!(error instanceof ClaimsExpressionError)) throw error;
  }
}

if (import.meta.main) process.stdout.write(`${formatBenchRows(await runClaimsPolicyBench())}\n`);
