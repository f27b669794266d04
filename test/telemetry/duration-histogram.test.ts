import fc from 'fast-check';
import { Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';

import { createDurationHistogram } from '../../src/telemetry/duration-histogram.ts';
import { parseMetrics } from './parse-metrics.ts';

const SHAPE = { name: 'time_seconds', help: 'A time.', buckets: [0.1, 0.25, 1, 10] };

const observations = fc.array(
  fc.record({
    first: fc.constantFrom('a', 'b', 'with "quotes" and \\'),
    second: fc.constantFrom('x', 'y'),
    // On the bounds as well as between them.
    seconds: fc.oneof(
      fc.constantFrom(0, ...SHAPE.buckets),
      fc.double({ min: 0, max: 20, noNaN: true }),
    ),
  }),
  { minLength: 1 },
);

test('What is read is what the library’s own histogram has, whatever is observed', async () => {
  await fc.assert(
    fc.asyncProperty(observations, async (observed) => {
      const registry = new Registry();
      const observe = createDurationHistogram({
        ...SHAPE,
        labelNames: ['first', 'second'],
        registry,
      });
      const registers = [new Registry()];
      const library = new Histogram({ ...SHAPE, labelNames: ['first', 'second'], registers });
      for (const { first, second, seconds } of observed) {
        observe(first, second, seconds);
        library.observe({ first, second }, seconds);
      }
      const [theirs] = registers;
      expect(sort(await registry.metrics())).toEqual(sort((await theirs?.metrics()) ?? ''));
      parseMetrics(await registry.metrics());
    }),
  );
});

const sort = (text: string): readonly string[] =>
  text.split('\n').toSorted((a, b) => a.localeCompare(b));
