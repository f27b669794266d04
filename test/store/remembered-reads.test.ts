import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isLasting } from '../../src/domain/lasting.ts';
import { createVersions, rememberReads } from '../../src/store/remembered-reads.ts';

/** A value that changes now and then, and a version that changes with it. */
function createSource() {
  let version = 1;
  let reads = 0;
  return {
    change: () => void (version += 1),
    countReads: () => reads,
    find: rememberReads(
      async (key: string, text?: string) => {
        reads += 1;
        return key === 'none' ? undefined : { read: `${key} in version ${version}`, text };
      },
      () => version,
      (key: string, _text?: string) => key,
    ),
  };
}

test('What has been read is not read again until something is committed', async () => {
  const source = createSource();
  const first = await source.find('a');
  expect(first?.read).toBe('a in version 1');
  expect(source.find('a')).toBe(first);
  expect(source.countReads()).toBe(1);
  source.change();
  expect((await source.find('a'))?.read).toBe('a in version 2');
  expect(source.countReads()).toBe(2);
});

test('What is remembered is known to last, and what is read anew is not', async () => {
  const source = createSource();
  const value = await source.find('a');
  expect(value !== undefined && isLasting(value)).toBe(true);
  const large = await source.find('b', 'x'.repeat(200_000));
  expect(large !== undefined && isLasting(large)).toBe(false);
});

test('What is not there is asked for each time', async () => {
  const source = createSource();
  expect(await source.find('none')).toBeUndefined();
  expect(await source.find('none')).toBeUndefined();
  expect(source.countReads()).toBe(2);
});

test('However reads and commits mix, no read tells of less than was committed before it began', async () => {
  const step = fc.constantFrom('a', 'b', 'commit', 'wait');
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const source = createSource();
      let version = 1;
      const answers: Promise<void>[] = [];
      for (const step of steps) {
        if (step === 'wait') await Promise.resolve();
        else if (step === 'commit') {
          source.change();
          version += 1;
        } else {
          const wanted = `${step} in version ${version}`;
          const answer = (async () => source.find(step))();
          answers.push(answer.then((value) => expect(value?.read).toBe(wanted)));
        }
      }
      await Promise.all(answers);
    }),
  );
});

test('However many are asked for, what is remembered holds no more than a megabyte', async () => {
  const source = createSource();
  const text = 'x'.repeat(100_000);
  for (let key = 0; key <= 10; key += 1) await source.find(`key ${key}`, text);
  await source.find('key 10', text);
  expect(source.countReads()).toBe(11);
  await source.find('key 0', text);
  expect(source.countReads()).toBe(12);
});

test('What is too large to share the room is read each time', async () => {
  const source = createSource();
  await source.find('small');
  const text = 'x'.repeat(200_000);
  await source.find('large', text);
  await source.find('large', text);
  await source.find('small');
  expect(source.countReads()).toBe(3);
});

test('The version is asked for once in a turn by those who recall it, and each time by those who ask', async () => {
  let asked = 0;
  const { ask, recall } = createVersions(() => (asked += 1));
  expect([recall(), recall(), ask(), recall(), ask()]).toEqual([1, 1, 2, 2, 3]);
  await setImmediate();
  expect(recall()).toBe(4);
});

test('What was recalled is forgotten when this process has committed', () => {
  let version = 1;
  const { recall, forget } = createVersions(() => version);
  expect(recall()).toBe(1);
  version = 2;
  expect(recall()).toBe(1);
  forget();
  expect(recall()).toBe(2);
});
