import { create } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { VerdictExplanationSchema } from '../gen/claimgate/v1/explanation_pb.ts';
import {
  collectClaims,
  createExampleClaims,
  findClaimsProblem,
  tellsClaims,
} from '../src/console/sample-claims.ts';

/** Of an attempt whose explanation shows these values. */
const explain = (seen: Readonly<Record<string, string>>, missing: readonly string[] = []) =>
  create(VerdictExplanationSchema, {
    causes: [{ seen: Object.entries(seen).map(([expression, value]) => ({ expression, value })) }],
    missingClaims: missing.map((claim) => ({ claim })),
  });

describe('The claims of a login attempt', () => {
  test.for([
    [{ 'claims.email': '"bob@example.com"' }, { email: 'bob@example.com' }],
    [{ 'claims.groups': '["sales", "x"]' }, { email: 'b***@example.com', groups: ['sales', 'x'] }],
    [
      { 'claims.a.b': '1', 'claims.a.c': 'true' },
      { email: 'b***@example.com', a: { b: 1, c: true } },
    ],
    [{ 'claims["https://x/y"]': 'null' }, { email: 'b***@example.com', 'https://x/y': null }],
    // What is computed, absent, cut off, or of a kind that JSON lacks, is not known.
    [{ 'size(claims.groups)': '3' }, { email: 'b***@example.com' }],
    [{ 'claims.groups[0]': '"sales"' }, { email: 'b***@example.com' }],
    [{ 'claims.dep': '' }, { email: 'b***@example.com' }],
    [{ 'claims.long': '"aaa…' }, { email: 'b***@example.com' }],
    [{ 'claims.count': '3u' }, { email: 'b***@example.com' }],
    [{ g: '"sales"' }, { email: 'b***@example.com' }],
  ] as const)('of which %o was seen are %o', ([seen, expected]) => {
    const attempt = { explanation: explain(seen), maskedEmail: 'b***@example.com' };
    expect(collectClaims(attempt)).toEqual(expected);
  });

  test('have no email that was missing', () => {
    const attempt = { explanation: explain({}, ['email']), maskedEmail: 'b***@example.com' };
    expect(collectClaims(attempt)).toEqual({});
    expect(tellsClaims(attempt)).toBe(true);
    expect(tellsClaims({ explanation: undefined })).toBe(false);
  });

  test('take any name, and change nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 3 }), (path) => {
        const expression = `claims${path.map((name) => `[${JSON.stringify(name)}]`).join('')}`;
        const claims = collectClaims({
          explanation: explain({ [expression]: '"seen"' }),
          maskedEmail: '',
        });
        const found = path.reduce<unknown>(
          (within, name) => Object.getOwnPropertyDescriptor(within, name)?.value,
          claims,
        );
        expect(found).toBe('seen');
        expect(Object.prototype).not.toHaveProperty(['seen']);
      }),
    );
  });
});

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

  test('to begin with are right, and of the domain', () => {
    expect(findClaimsProblem(createExampleClaims('example.org'))).toBeUndefined();
    expect(createExampleClaims('example.org')).toContain('alice@example.org');
  });
});
