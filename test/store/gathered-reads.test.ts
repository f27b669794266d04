import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DomainError } from '../../src/domain/errors.ts';
import { gatherReads } from '../../src/store/gathered-reads.ts';

/** A database whose values tell the version that they were read in, and that answers when it is told to. */
function createSource() {
  let version = 1;
  const waiting: { readonly keys: readonly string[]; readonly end: (failure?: Error) => void }[] =
    [];
  const statements: (readonly string[])[] = [];
  const readMany = async (keys: readonly string[]): Promise<ReadonlyMap<string, string>> => {
    statements.push(keys);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    waiting.push({ keys, end: (failure) => (failure ? reject(failure) : resolve()) });
    await promise;
    if (keys.includes('bad')) throw new Error('bad');
    const found = keys.filter((key) => key !== 'none');
    return new Map(found.map((key) => [key, `${key} in version ${version}`]));
  };
  return {
    statements,
    commit: () => (version += 1),
    readVersion: () => version,
    /** The oldest of those that wait, if any. */
    answer: (failure?: Error) => waiting.shift()?.end(failure),
    async answerAll() {
      do {
        while (waiting.length > 0) this.answer();
        // Reads that have not been sent yet are, and those of a statement that failed are done alone.
        await setImmediate();
        await setImmediate();
      } while (waiting.length > 0);
    },
    find: gatherReads(async (key) => (await readMany([key])).get(key), readMany),
  };
}

const OUTAGE = new DomainError('unavailable', 'The database cannot be reached.');

describe('Reads that are gathered', () => {
  test('go together when they are asked for together, each key once', async () => {
    const source = createSource();
    const answers = ['a', 'b', 'a', 'none'].map(source.find);
    await source.answerAll();
    expect(source.statements).toEqual([['a', 'b', 'none']]);
    expect(await Promise.all(answers)).toEqual([
      'a in version 1',
      'b in version 1',
      'a in version 1',
      undefined,
    ]);
  });

  test('wait for none that were sent before them', async () => {
    const source = createSource();
    const first = source.find('a');
    await setImmediate();
    const second = source.find('a');
    await setImmediate();
    expect(source.statements).toEqual([['a'], ['a']]);
    await source.answerAll();
    expect(await Promise.all([first, second])).toHaveLength(2);
  });

  test('go a hundred at a time', async () => {
    const source = createSource();
    const keys = Array.from({ length: 250 }, (_, index) => `key ${index}`);
    const answers = keys.map(source.find);
    await source.answerAll();
    expect(source.statements.map(({ length }) => length)).toEqual([100, 100, 50]);
    expect(await Promise.all(answers)).toEqual(keys.map((key) => `${key} in version 1`));
  });

  test('answer as each would alone, however they, commits and failures mix', async () => {
    const ask = fc.constantFrom('a', 'b', 'c', 'none', 'bad').map((key) => ({ ask: key }));
    const step = fc.oneof(
      { weight: 3, arbitrary: ask },
      fc.constantFrom('commit', 'turn', 'answer', 'outage', 'other failure'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const source = createSource();
        const checks: Promise<void>[] = [];
        for (const step of steps) {
          if (typeof step === 'object') checks.push(check(source, step.ask));
          else if (step === 'commit') source.commit();
          else if (step === 'answer') source.answer();
          else if (step === 'outage') source.answer(OUTAGE);
          else if (step === 'other failure') source.answer(new Error('other'));
          await (step === 'turn' ? setImmediate() : Promise.resolve());
        }
        await source.answerAll();
        await Promise.all(checks);
        return undefined;
      }),
    );
  });
});

/** That the answer is what reading this key alone could have told since it was asked for. */
async function check({ find, readVersion }: ReturnType<typeof createSource>, key: string) {
  const askedIn = readVersion();
  let answer: string | undefined;
  try {
    answer = await find(key);
  } catch (error) {
    if (error === OUTAGE) return;
    // The other failure is told to those alone who were asked for once more, and failed so again.
    expect(error).toMatchObject({ message: key === 'bad' ? expect.any(String) : 'other' });
    return;
  }
  expect(key).not.toBe('bad');
  if (key === 'none') {
    expect(answer).toBeUndefined();
    return;
  }
  const [, asked, version] = /^(\w+) in version (\d+)$/.exec(answer ?? '') ?? [];
  expect(asked).toBe(key);
  expect(Number(version)).toBeGreaterThanOrEqual(askedIn);
}
