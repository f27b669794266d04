import fc from 'fast-check';
import { expect, it } from 'vitest';
import { gatherEnvelopes } from '../../src/http/gather-envelopes.ts';
import { envelope } from './unary-wire.ts';

const MAX = 40;

/** In pieces, as the sizes say, over and over. */
function* cut(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let start = 0, turn = 0; start < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(start, (start += size));
  }
}

async function gather(chunks: Iterable<Buffer>, readMaxBytes = MAX): Promise<readonly Buffer[]> {
  async function* arrive() {
    for (const chunk of chunks) yield await Promise.resolve(chunk);
  }
  const gathered: Buffer[] = [];
  for await (const bytes of gatherEnvelopes(arrive(), readMaxBytes)) gathered.push(bytes);
  return gathered;
}

const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 });

it('hands on all that came, whatever it was and however it was cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), sizes, async (given, cuts) => {
      const bytes = Buffer.from(given);
      expect(Buffer.concat(await gather(cut(bytes, cuts)))).toEqual(bytes);
    }),
  );
});

it('hands on whole envelopes alone, each as soon as it is there', async () => {
  const messages = fc.array(fc.uint8Array({ maxLength: MAX }), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(messages, sizes, async (given, cuts) => {
      const envelopes = given.map((data) => envelope(0, data));
      const ends = new Set<number>();
      let total = 0;
      for (const { length } of envelopes) ends.add((total += length));
      let end = 0;
      for (const piece of await gather(cut(Buffer.concat(envelopes), cuts))) {
        end += piece.length;
        expect(ends).toContain(end);
      }
      expect(end).toBe(total);
    }),
  );
});

it('hands on at once what announces more than it may, and does not wait for it', async () => {
  const head = envelope(0, Buffer.alloc(0), MAX + 1);
  expect(await gather([head, Buffer.from('rest')])).toEqual([head, Buffer.from('rest')]);
});

it('puts together what came in 60,000 pieces, with no more work for each than for the first', async () => {
  const bytes = envelope(0, Buffer.alloc(60_000));
  expect(await gather(cut(bytes, [1]), 65_536)).toEqual([bytes]);
});
