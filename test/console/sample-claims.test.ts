import { describe, expect, test } from 'vitest';

import {
  createExampleClaims,
  findClaimsProblem,
  packClaims,
  spreadClaims,
} from '../../src/console/sample-claims.ts';

describe('Sample claims', () => {
  test.for([
    ['{', { line: 1 }],
    ['{\n  "email": \n}', { line: 3 }],
    ['[]', { line: 1, column: 1 }],
    ['"text"', { line: 1, column: 1 }],
    ['', { line: 1, column: 1 }],
  ] as const)('%j are wrong at %o', ([text, place]) => {
    expect(findClaimsProblem(text)).toMatchObject(place);
  });

  test('are spread to be read, and packed to be sent, with what was typed in them', () => {
    const claims = '{"a":[1,{"b":"\\ud800"}]}';
    expect(spreadClaims(claims)).toContain('\n  "a": [');
    expect(packClaims(spreadClaims(claims))).toBe(claims);
    expect(packClaims('{"a":')).toBe('{"a":');
  });

  test('to begin with are right, and of the domain', () => {
    expect(findClaimsProblem(createExampleClaims('example.org'))).toBeUndefined();
    expect(createExampleClaims('example.org')).toContain('alice@example.org');
  });
});
