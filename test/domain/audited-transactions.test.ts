// That nothing is changed past the audit log: every transaction that is not opened by `makeChange` is known here.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const SRC = new URL('../../src/', import.meta.url);

/** Where a transaction is opened without a record, how often, and what it changes. */
const BOOKKEEPING: Readonly<Record<string, readonly string[]>> = {
  'domain/audit.ts': ['makeChange itself'],
  'domain/refusal-recorder.ts': ['the records of refusals'],
  'domain/login.ts': ['a pending login, which its attempt or its session will tell of'],
  'domain/pending-login.ts': ['the same, taken'],
  'domain/login-refusal.ts': ['the attempt, which is the record of a refused sign-in'],
  'domain/test-login-browser.ts': ['opened', 'taken', 'its report'],
  'domain/test-login-report.ts': ['nothing: who the person would be'],
  'domain/sso-draft.ts': ['nothing: reads under a lock'],
  'main.ts': ['when tokens were last used', 'when sessions were last used'],
  'upkeep.ts': ['what has expired'],
};

test('Every transaction leaves its record, or is bookkeeping that is named', () => {
  const found = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter(
      (file) => file.endsWith('.ts') && !/^(?:store|telemetry|console|client|cli)\//.test(file),
    )
    .map((file) => {
      const source = readFileSync(new URL(file, SRC), 'utf8');
      const count = source.match(/\bstore\.transaction(?:<\w+>)?\(/g)?.length ?? 0;
      return `${file}: ${count}`;
    })
    .filter((line) => !line.endsWith(': 0'));
  const known = Object.entries(BOOKKEEPING).map(([file, what]) => `${file}: ${what.length}`);
  expect(found.toSorted()).toEqual(known.toSorted());
});
