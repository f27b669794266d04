import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { HOSTILE_CASES } from './claims-policy-hostile-cases.ts';

/** What a node that has loaded the domain holds, and the 64 MB that a hostile rule may add. */
const OLD_SPACE_MB = 32 + 64;
/** A guard against a case that never ends; a case that does takes a fraction of a second. */
const HANG_MS = 10_000;

/** Cases that a rule may well judge: they are hostile, but what they ask for is cheap. */
const ALLOWED = [
  'a macro over the whole of the claims',
  'a variable that hides the claims',
  'the claim __proto__',
];

describe('hostile rules and claims', () => {
  it('are at least sixty, each with a name of its own', () => {
    expect(HOSTILE_CASES.length).toBeGreaterThanOrEqual(60);
    expect(new Set(HOSTILE_CASES.map(({ name }) => name)).size).toBe(HOSTILE_CASES.length);
  });

  it(
    'end refused or judged, in a process that has 64 MB for them',
    { timeout: 180_000 },
    async () => {
      const outcomes = await runCases();
      const unexpected = outcomes.filter(
        ({ outcome }) =>
          ![
            'does not compile',
            'error',
            'false',
            'not_bool',
            'over_budget',
            'claims_too_large',
            'allowed',
          ].includes(outcome),
      );
      expect(unexpected).toEqual([]);
      expect(outcomes.map(({ name }) => name)).toEqual(HOSTILE_CASES.map(({ name }) => name));
      const allowed = outcomes
        .filter(({ outcome }) => outcome === 'allowed')
        .map(({ name }) => name);
      expect(allowed.toSorted()).toEqual(ALLOWED);
    },
  );
});

interface HostileOutcome {
  readonly name: string;
  readonly outcome: string;
}

async function runCases(): Promise<readonly HostileOutcome[]> {
  const script = fileURLToPath(new URL('claims-policy-hostile-run.ts', import.meta.url));
  const child = spawn(process.execPath, [`--max-old-space-size=${OLD_SPACE_MB}`, script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const outcomes: HostileOutcome[] = [];
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const closed = new Promise<string>((resolve) => {
    child.once('close', (code, signal) =>
      resolve(code === 0 ? '' : `ended by ${signal ?? `code ${code}`}`),
    );
  });
  const hang = setTimeout(() => child.kill('SIGKILL'), HANG_MS);
  for await (const line of createInterface({ input: child.stdout })) {
    outcomes.push(JSON.parse(line) as HostileOutcome);
    hang.refresh();
  }
  clearTimeout(hang);
  const end = await closed;
  const next = HOSTILE_CASES[outcomes.length]?.name;
  if (end !== '') throw new Error(`${end} in "${next}": ${complaint.slice(0, 2_000)}`);
  return outcomes;
}
