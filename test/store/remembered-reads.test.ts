import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rememberReads } from '../../src/store/remembered-reads.ts';

/** A value that changes now and then, and a version that changes with it. */
function createSource() {
  let version = 1;
  let reads = 0;
  return {
    change: () => void (version += 1),
    countReads: () => reads,
    find: rememberReads(
      async (key) => {
        reads += 1;
        return key === 'none' ? undefined : `${key} in version ${version}`;
      },
      () => version,
    ),
  };
}

test('What has been read is not read again until something is committed', async () => {
  const source = createSource();
  expect(await source.find('a')).toBe('a in version 1');
  expect(await source.find('a')).toBe('a in version 1');
  expect(source.countReads()).toBe(1);
  source.change();
  expect(await source.find('a')).toBe('a in version 2');
  expect(source.countReads()).toBe(2);
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
          answers.push(source.find(step).then((answer) => expect(answer).toBe(wanted)));
        }
      }
      await Promise.all(answers);
    }),
  );
});

test('However many are asked for, no more than a thousand are remembered', async () => {
  const source = createSource();
  for (let key = 0; key <= 1000; key += 1) await source.find(`key ${key}`);
  await source.find('key 1000');
  expect(source.countReads()).toBe(1001);
  await source.find('key 0');
  expect(source.countReads()).toBe(1002);
});
