import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findNode } from '../../src/domain/cel-ast.ts';
import { CEL_LIMITS } from '../../src/domain/cel-budget.ts';
import { containsText } from '../../src/domain/cel-text.ts';
import {
  ClaimsExpressionError,
  compileClaimsExpression,
  evaluateClaims,
} from '../../src/domain/claims-policy.ts';
import type { ClaimsVerdict, JsonObject } from '../../src/domain/claims-policy.ts';

const CLAIMS: JsonObject = {
  sub: '248289761001',
  email: 'alice@example.com',
  email_verified: true,
  groups: ['staff', 'admin'],
  level: 3,
  ratio: 0.5,
  auth_time: 1_700_000_000,
  iat: 1_700_000_060,
  big: 2 ** 60,
  nothing: null,
  empty: '',
  address: { country: 'DE', lines: ['a', 'b'] },
  'https://example.com/roles': ['reader'],
  ['__proto__']: { admin: true },
  constructor: 'a claim',
};

function judge(expression: string, claims: JsonObject = CLAIMS): ClaimsVerdict {
  return evaluateClaims(compileClaimsExpression(expression), claims);
}

interface Attempt {
  readonly verdict?: ClaimsVerdict;
  readonly fault?: ClaimsExpressionError;
}

function attempt(expression: string, claims: JsonObject): Attempt {
  try {
    return { verdict: judge(expression, claims) };
  } catch (fault) {
    if (fault instanceof ClaimsExpressionError) return { fault };
    throw fault;
  }
}

function findFault(expression: string): ClaimsExpressionError {
  const { fault } = attempt(expression, CLAIMS);
  if (fault === undefined) throw new Error(`${expression} compiles`);
  return fault;
}

describe('a rule lets in', () => {
  it.each([
    'claims.email_verified && claims.email.endsWith("@example.com")',
    'true',
    'claims.groups.exists(g, g == "admin")',
    'claims.groups.exists_one(g, g == "admin")',
    'claims.groups.all(g, size(g) > 3)',
    'claims.groups.filter(g, g.startsWith("a")) == ["admin"]',
    'claims.groups.map(g, g + "!") == ["staff!", "admin!"]',
    'claims.groups.map(g, g == "admin", g + "!") == ["admin!"]',
    'claims.groups.filter(g, true).filter(g, g == "admin").size() == 1',
    '"admin" in claims.groups',
    '!("root" in claims.groups)',
    'claims["https://example.com/roles"].exists(r, r == "reader")',
    'has(claims.email) && !has(claims.phone)',
    '"email" in claims && !("phone" in claims)',
    'has(claims.address.country) && claims.address.country in ["DE", "FR"]',
    'claims.address["lines"][1] == "b"',
    'claims.email.contains("@") && claims.email.startsWith("alice")',
    'claims.email.matches("^[a-z]+@example\\\\.com$")',
    'size(claims.groups) == 2 && claims.groups.size() == 2 && size(claims.email) == 17',
    'claims.exists(name, name == "email")',
    'claims.level in [1, 2, 3] ? true : false',
    'claims.groups + ["x"] == ["staff", "admin", "x"]',
    'b"abc" + b"d" == bytes("abcd") && string(b"abc") == "abc"',
    '{"DE": true, "FR": false}[claims.address.country]',
  ])('with %s', (expression) => {
    expect(judge(expression)).toEqual({ allowed: true });
  });

  it.each([
    'claims.level >= 3',
    'claims.level == 3 && claims.level == 3.0 && claims.level > 2.5',
    'claims.level + 1 == 4',
    'claims.iat - claims.auth_time <= 60',
    'claims.ratio < 1 && claims.ratio == 0.5 && double(claims.level) * claims.ratio == 1.5',
    'type(claims.level) == int && type(claims.ratio) == double && type(claims.big) == double',
    'timestamp(claims.auth_time) == timestamp("2023-11-14T22:13:20Z")',
    'timestamp(claims.iat) - timestamp(claims.auth_time) == duration("1m")',
    'timestamp(claims.auth_time).getFullYear("UTC") == 2023',
    'int("12") == 12 && int("-7") == -7 && double("1.5") == 1.5',
  ])('by numbers and times as JSON has them, with %s', (expression) => {
    expect(judge(expression)).toEqual({ allowed: true });
  });

  it.each([
    'claims.nothing == null && has(claims.nothing) && "nothing" in claims',
    'claims.absent || true',
    'claims.groups.exists(g, g.absent || g == "admin")',
    'claims.constructor == "a claim"',
    'claims.__proto__.admin',
    '[1, 2].exists(claims, claims == 2)',
    '{1: true}[1u] && {1u: true}[1] && {2: 3}[2.0] == 3',
  ])('as CEL has it, with %s', (expression) => {
    expect(judge(expression)).toEqual({ allowed: true });
  });
});

describe('a rule keeps out', () => {
  it.each<readonly [string, string, string]>([
    ['false', 'false', 'the rule gave false'],
    ['has(claims.toString)', 'false', 'the rule gave false'],
    ['claims.level', 'not_bool', 'the rule gave an int, and only true lets in'],
    ['claims.email', 'not_bool', 'the rule gave a string, and only true lets in'],
    ['claims.nothing', 'not_bool', 'the rule gave null, and only true lets in'],
    ['claims.groups', 'not_bool', 'the rule gave a list, and only true lets in'],
    ['claims.phone == "1"', 'error', 'no such claim: phone (line 1, column 8)'],
    [
      'true &&\n  claims.address.city == "x"',
      'error',
      'no such claim: address.city (line 2, column 18)',
    ],
    ['claims["a b"] == 1', 'error', 'no such claim: a b (line 1, column 1)'],
    ['claims.toString == 1', 'error', 'no such claim: toString (line 1, column 8)'],
    ['claims.email.domain == 1', 'error', 'no such claim: email.domain (line 1, column 14)'],
    ['claims.groups[9] == "x"', 'error', 'no such element in a list or map (line 1, column 1)'],
    ['claims.email > 3', 'error', 'cannot use > on string, int (line 1, column 14)'],
    [
      'claims.level.startsWith("a")',
      'error',
      'cannot use startsWith on int, string (line 1, column 14)',
    ],
    ['claims.level && true', 'error', 'type mismatch: expected bool, got int (line 1, column 1)'],
    [
      'claims.level ? true : true',
      'error',
      'what stands before ? is not true or false (line 1, column 1)',
    ],
    [
      'claims.level.exists(x, true)',
      'error',
      'expected a list or a map to go through (line 1, column 14)',
    ],
    ['claims.level / 0 == 1', 'error', 'division by zero (line 1, column 14)'],
    [
      'claims.level * 9223372036854775807 == 1',
      'error',
      'a number or a time is out of range (line 1, column 14)',
    ],
    ['int(claims.empty) == 0', 'error', 'int cannot take this value (line 1, column 1)'],
    ['int("0x1f") == 31', 'error', 'int cannot take this value (line 1, column 1)'],
    ['bool(claims.email)', 'error', 'bool cannot take this value (line 1, column 1)'],
    [
      'claims.email.matches(claims.groups[0] + "(")',
      'error',
      'matches cannot take this value (line 1, column 14)',
    ],
    ['{1: 1, 1u: 2}[1] == 1', 'error', 'a map has the same key twice (line 1, column 1)'],
  ])('with %s: %s', (expression, reason, detail) => {
    expect(judge(expression)).toEqual({ allowed: false, reason, detail });
  });

  it('without quoting the values of claims', () => {
    const secret = 'tr0ub4dor';
    const claims = { s: secret, l: [secret], m: { x: secret } };
    for (const expression of [
      'int(claims.s) == 1',
      'bool(claims.s)',
      'timestamp(claims.s) == timestamp(0)',
      'duration(claims.s) == duration("1s")',
      'timestamp(0).getHours(claims.s) == 1',
      'claims.s + 1 == claims.s',
      '{claims.s: 1, claims.m.x: 2} == {}',
      'claims.s.matches(claims.s + "(")',
      'claims[claims.s] == 1',
      'claims.m[claims.l[0]] == 1',
      'claims.l[claims.s] == 1',
    ]) {
      const verdict = judge(expression, claims);
      expect(verdict.allowed).toBe(false);
      expect(JSON.stringify(verdict)).not.toContain(secret);
    }
  });

  it.each<readonly [string, string, JsonObject]>([
    [
      'claims.l.all(x, claims.l.all(y, true))',
      'over_budget',
      { l: Array.from({ length: 400 }, () => 1) },
    ],
    [
      'claims.l.exists(x, claims.l.exists(y, false)) || true',
      'over_budget',
      { l: Array.from({ length: 400 }, () => 1) },
    ],
    ['size(claims.s + claims.s) > 0', 'over_budget', { s: 'x'.repeat(40_000) }],
    [
      'size(claims.l + claims.l) > 0',
      'over_budget',
      { l: Array.from({ length: 20_000 }, () => 1) },
    ],
    ['claims.s.matches("x*y[zw]")', 'over_budget', { s: 'x'.repeat(CEL_LIMITS.patternInput + 1) }],
    ['true', 'claims_too_large', { s: 'x'.repeat(CEL_LIMITS.claimsBytes) }],
    ['true', 'claims_too_large', { s: 'é'.repeat(CEL_LIMITS.claimsBytes / 2) }],
    [
      'true',
      'claims_too_large',
      JSON.parse(`{"x":${'['.repeat(16)}${']'.repeat(16)}}`) as JsonObject,
    ],
  ])('when %s costs too much: %s', (expression, reason, claims) => {
    expect(judge(expression, claims)).toMatchObject({ allowed: false, reason });
  });

  it('when the claims are not JSON', () => {
    expect(judge('true', { x: (() => 1) as never })).toMatchObject({
      allowed: false,
      reason: 'error',
    });
  });

  it('but not for claims at the limits', () => {
    expect(
      judge('true', JSON.parse(`{"x":${'['.repeat(15)}${']'.repeat(15)}}`) as JsonObject),
    ).toEqual({ allowed: true });
    expect(judge('true', { s: 'x'.repeat(CEL_LIMITS.claimsBytes - 16) })).toEqual({
      allowed: true,
    });
    const groups = Array.from({ length: 1_000 }, (_, index) => `group-${index}`);
    expect(
      judge(
        'claims.groups.exists(g, g.matches("^group-(999|x)$")) && claims.groups.map(g, g + "!").size() == 1000',
        { groups },
      ),
    ).toEqual({
      allowed: true,
    });
  });
});

describe('a rule is refused when it is written', () => {
  it.each<readonly [string, number, number, string]>([
    ['', 1, 1, 'expected a rule'],
    ['claims.', 1, 8, 'expected a value after ., found the end'],
    ['claims.a &&', 1, 12, 'expected a value after &&'],
    ['claims.a &&\n  claims.b ==\n', 3, 1, 'expected a value after =='],
    ['claims.a = 1', 1, 10, 'write =='],
    ['claims.a & true', 1, 10, 'expected &&'],
    ['claims.a and claims.b', 1, 10, 'write &&'],
    ['not claims.a', 1, 1, 'write !'],
    ['claims.a claims.b', 1, 10, 'expected an operator'],
    ['claims.a == "x', 1, 13, 'expected " to end this string'],
    ['(claims.a', 1, 1, 'expected ) to close'],
    ['claims["a"', 1, 7, 'expected ] to close'],
    ['(claims.a]', 1, 10, 'expected ) to close (, found ]'],
    ['claims.a)', 1, 9, 'nothing is open'],
    ['== 1', 1, 1, 'expected a value before =='],
    ['claims.`a-b`', 1, 8, 'write ["name"]'],
    ['if', 1, 1, 'reserves'],
    ['claims.a # comment', 1, 10, 'did not expect #'],
  ])('%j, as it does not parse (line %i, column %i)', (expression, line, column, message) => {
    const fault = findFault(expression);
    expect({ line: fault.line, column: fault.column }).toEqual({ line, column });
    expect(fault.message).toContain(message);
  });

  it.each<readonly [string, number, string]>([
    ['email == "x"', 1, 'a claim is written claims.email'],
    ['constructor', 1, 'constructor is not known'],
    ['claims.groups.exists(g, h == 1)', 25, 'expected one of claims, g'],
    ['claims.email.lower() == "x"', 14, 'lower is not a method here: expected one of'],
    ['claims.email.endsWit("x")', 14, 'endsWit is not a method here: did you mean endsWith?'],
    ['claims.groups.exist(g, g == "x")', 15, 'did you mean exists?'],
    ['siz(claims.groups) > 1', 1, 'siz is not a function here: did you mean size?'],
    ['Claim.email == "x"', 1, 'Claim is not known: did you mean claims?'],
    ['claims.a || TRUE', 13, 'did you mean true?'],
    ['lower(claims.email) == "x"', 1, 'lower is not a function here'],
    ['endsWith(claims.email, "x")', 1, 'expected x.endsWith()'],
    ['claims.email.endsWith()', 14, 'endsWith takes 1 argument, found 0'],
    ['"a".endsWith(1)', 5, 'cannot be used on a string and an int'],
    ['"a".b == 1', 5, 'a string has no field b'],
    ['claims.groups.exists(g)', 15, 'claims.groups.exists(g, g == "admins")'],
    ['has(claims["x"])', 1, '"name" in claims'],
    ['has(claims)', 1, 'has(claims.email)'],
    ['claims[1]', 7, 'expected a name in quotes'],
    ['[1]["a"] == 1', 4, 'a list is counted by an int'],
    ['"abc".exists(c, c == "a")', 7, 'needs a list or a map'],
    ['claims.groups.exists(g, g + "a")', 27, 'must be true or false, and this is a string'],
    ['claims.a && "b"', 13, 'each side of && must be true or false'],
    ['1 ? true : false', 1, 'what stands before ?'],
    ['size(claims.groups) == "3"', 21, 'never equal'],
    ['1 + 2', 3, 'a rule must give true or false, and this gives an int'],
    ['"admin"', 1, 'this gives a string'],
    ['claims', 1, 'this gives a map'],
    ['[true][0] ? "a" : "b"', 1, 'this gives a string'],
    ['["a"].map(x, x)[0]', 16, 'this gives a string'],
    ['{1.5: true}[1]', 1, 'a double cannot be a key'],
    ['google.protobuf.Any{} == claims.x', 1, 'cannot be made here'],
    ['claims.a == 9223372036854775808', 13, 'does not fit an int of 64 bits'],
    ['claims.a == 18446744073709551616u', 13, 'does not fit a uint of 64 bits'],
    ['claims.a.matches("(")', 18, 'not a regular expression of RE2'],
    ['claims.a.matches("(?=x)")', 18, 'not a regular expression of RE2'],
    ['claims.a.matches("(a{100}){10}")', 18, 'lower its repetition counts'],
    ['claims.a.matches("(?i)[B-\\\\x{1e900}][B-\\\\x{1e900}]")', 18, 'too wide'],
    ['claims.a.matches("\\\\pL\\\\pN\\\\pS\\\\pP\\\\pZ")', 18, 'at most 4 Unicode classes'],
  ])('%s, as it can never work (column %i)', (expression, column, message) => {
    const fault = findFault(expression);
    expect(fault.message).toContain(message);
    expect({ line: fault.line, column: fault.column }).toEqual({ line: 1, column });
  });

  it.each<readonly [string, string]>([
    [`claims.a == "${'x'.repeat(4_096)}"`, '4,096 characters'],
    [`claims.a == [${Array.from({ length: 1_000 }, () => 1).join(',')}]`, '1,000 parts'],
    [`${'['.repeat(61)}${']'.repeat(61)} == claims.a`, '60 deep'],
    [`${'('.repeat(1_500)}true${')'.repeat(1_500)}`, 'nested too deep'],
    [Array.from({ length: 9 }, () => 'claims.l.exists(x, x)').join(' || '), 'at most 8 of exists'],
  ])('when it is too large', (expression, message) => {
    expect(findFault(expression).message).toContain(message);
  });

  it('but not at the limits', () => {
    for (const expression of [
      `claims.a == [${Array.from({ length: 990 }, () => 1).join(',')}]`,
      Array.from({ length: 300 }, () => 'claims.a').join(' || '),
      Array.from({ length: 8 }, () => 'claims.l.exists(x, x)').join(' || '),
      `claims.a == "${'x'.repeat(4_080)}"`,
    ]) {
      expect(compileClaimsExpression(expression).source).toBe(expression);
    }
  });
});

describe('a compiled rule', () => {
  it('a text that is nearly a number costs no more than its length, however often it is read', () => {
    const digits = `${'0'.repeat(60_000)}x`;
    const rule = '[1, 2, 3, 4, 5].all(x, double(claims.digits) > 0.0)';
    expect(judge(rule, { digits }).allowed).toBe(false);
  });

  it('evaluates one part alone, for explanations', () => {
    const { ast, program } = compileClaimsExpression(
      'claims.level > 5 || claims.email.endsWith(".com")',
    );
    if (ast.kind !== 'call') throw new Error('expected an operator');
    const [left, right] = ast.args;
    expect(left && findNode(ast, left.id)).toBe(left);
    const bindings = { claims: { level: 3, email: 'a@example.com' } };
    expect(left && program.evaluatePart(left.id, bindings)).toEqual({
      kind: 'value',
      value: false,
    });
    expect(right && program.evaluatePart(right.id, bindings)).toEqual({
      kind: 'value',
      value: true,
    });
    expect(program.evaluatePart(9_999, bindings)).toBeUndefined();
  });

  it('gives the same verdict each time, whatever was judged in between', () => {
    const loop = compileClaimsExpression('claims.l.map(x, x + 1) == [2, 3]');
    const bomb = compileClaimsExpression(
      'claims.l.exists(x, claims.l.exists(y, claims.l.exists(z, false)))',
    );
    const many = { l: Array.from({ length: 1_000 }, () => 1) };
    for (let round = 0; round < 3; round += 1) {
      expect(evaluateClaims(loop, { l: [1, 2] })).toEqual({ allowed: true });
      expect(evaluateClaims(bomb, many)).toMatchObject({ reason: 'over_budget' });
    }
    expect(Error.stackTraceLimit).toBeGreaterThan(0);
  });
});

describe('whatever is given', () => {
  const words = fc.constantFrom(
    ...'claims .email .l [ ] ( ) { } "a" 1 1.5 2u b"x" null true + - == && || ! ? : , < x size( has('.split(
      ' ',
    ),
    ...'.exists(x, |.map(x, x|.filter(x, |.matches(|timestamp(|string(|dyn(| in | |//|\\|__proto__'.split(
      '|',
    ),
    '\n',
    "'",
  );

  it('an expression compiles or fails with a place', () => {
    const expressions = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(words, { maxLength: 30 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(expressions, fc.dictionary(fc.string(), fc.jsonValue()), (expression, claims) => {
        const { verdict, fault } = attempt(expression, claims as JsonObject);
        const lines = expression.split(/\r\n|\r|\n/);
        const isPlace =
          fault !== undefined &&
          fault.line <= lines.length &&
          fault.column <= (lines[fault.line - 1]?.length ?? 0) + 1;
        expect(
          fault === undefined ? typeof verdict?.allowed : isPlace && fault.message !== '',
        ).toBe(fault === undefined ? 'boolean' : true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('claims get a verdict, and only true lets in', () => {
    const rules = [
      'claims.email_verified && claims.email.endsWith("@example.com")',
      'claims.groups.exists(g, g == "admin")',
      'claims.all(name, claims[name] == claims[name])',
      'claims.x',
    ].map(compileClaimsExpression);
    const claims = fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom('x', 'email', 'groups', '__proto__')),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(claims, fc.constantFrom(...rules), (given, rule) => {
        const verdict = evaluateClaims(rule, given);
        const isTrue = Object.hasOwn(given, 'x') && given['x'] === true;
        expect(
          rule.source === 'claims.x'
            ? verdict.allowed === isTrue
            : typeof verdict.allowed === 'boolean',
        ).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('a text is found in a text exactly where the engine finds it', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 });
    fc.assert(
      fc.property(text, text, fc.nat({ max: 200 }), (unit, part, times) => {
        const whole = `${unit.repeat(times)}${'ab'.repeat(5_000)}`;
        const long = part.repeat(100);
        expect(containsText(whole, long)).toBe(whole.includes(long));
      }),
    );
  });
});
