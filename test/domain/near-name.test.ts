import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { findNearName } from '../../src/domain/near-name.ts';

describe('The name that was meant', () => {
  test.for([
    ['emial', ['sub', 'email', 'name'], 'email'],
    ['group', ['email', 'groups'], 'groups'],
    ['TRUE', ['claims', 'true', 'false'], 'true'],
    ['Claims', ['claims'], 'claims'],
    // What is too far away is nobody's guess.
    ['h', ['claims', 'g'], undefined],
    ['department', ['email', 'groups'], undefined],
    ['name', [], undefined],
    ['x'.repeat(65), ['x'.repeat(64)], undefined],
  ] as const)('by %s, where there are %o, is %s', ([name, known, expected]) => {
    expect(findNearName(name, known)).toBe(expected);
  });

  test('is one of those that there are, whatever they are', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (name, known) => {
        const near = findNearName(name, known);
        expect(near === undefined || known.includes(near)).toBe(true);
      }),
    );
  });
});
