/** Rules and claims made to exhaust time or memory, or to reach what is not theirs. Each must end refused or judged. */
import type { JsonObject, JsonValue } from '../../src/domain/claims-policy-claims.ts';

export interface HostileCase {
  readonly name: string;
  readonly expression: string;
  readonly claims: () => JsonObject;
}

const list = (length: number, item: (index: number) => JsonValue = () => 1): JsonValue[] =>
  Array.from({ length }, (_, i) => item(i));
const record = (size: number, prefix = ''): JsonObject =>
  Object.fromEntries(Array.from({ length: size }, (_, i) => [`${prefix}${i}`, 1]));
const nest = (depth: number, wrap: (inner: JsonValue) => JsonValue): JsonValue => {
  let value: JsonValue = 1;
  for (let i = 0; i < depth; i += 1) value = wrap(value);
  return value;
};
/** A text without a pattern that an engine could predict, the same every time. */
const noise = (length: number, alphabet: string): string => {
  let seed = 1;
  let text = '';
  for (let i = 0; i < length; i += 1) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    text += alphabet[(seed >>> 16) % alphabet.length];
  }
  return text;
};

const ONES = (): JsonObject => ({ l: list(32_000) });
const HUNDRED = (): JsonObject => ({ l: list(100) });
const TEXT = (): JsonObject => ({ l: list(10_000), s: 'x'.repeat(40_000) });
const NONE = (): JsonObject => ({});
const loops = (depth: number, body: string): string => {
  let text = body;
  for (let i = depth - 1; i >= 0; i -= 1) text = `claims.l.exists(v${i}, ${text})`;
  return text;
};
const many = (count: number, part: string, glue: string): string =>
  Array.from({ length: count }, () => part).join(glue);

const COMPREHENSIONS: readonly HostileCase[] = [
  { name: 'two nested loops over 32,000', expression: loops(2, 'v0 == 2'), claims: ONES },
  { name: 'eight nested loops over 100', expression: loops(8, 'v7 == 2'), claims: HUNDRED },
  { name: 'nine nested loops', expression: loops(9, 'v8 == 2'), claims: HUNDRED },
  {
    name: 'eight nested all',
    expression: loops(8, 'true').replaceAll('exists', 'all'),
    claims: HUNDRED,
  },
  {
    name: 'an inner loop that ends at once, but copies its range',
    expression: 'claims.l.all(x, claims.l.exists(y, true))',
    claims: ONES,
  },
  {
    name: 'a loop whose errors are forgiven',
    expression: 'claims.l.exists(x, x.nothing) || true',
    claims: ONES,
  },
  {
    name: 'nested loops whose errors are forgiven',
    expression: 'claims.l.exists(x, claims.l.exists(y, y.nothing)) || true',
    claims: ONES,
  },
  { name: 'errors in all', expression: '!claims.l.all(x, x.nothing == x)', claims: ONES },
  {
    name: 'errors of conversions',
    expression: 'claims.l.exists(x, int(string(x) + "x") == 1)',
    claims: ONES,
  },
  {
    name: 'a body of 200 comparisons',
    expression: `claims.l.exists(x, ${many(200, 'x == 2', ' || ')})`,
    claims: ONES,
  },
  {
    name: 'a body of 200 sums',
    expression: `claims.l.exists(x, ${many(50, 'x', '+')} == 0 || ${many(50, 'x', '+')} == 0)`,
    claims: ONES,
  },
  {
    name: 'a body of 300 absent claims',
    expression: `claims.l.exists(x, ${many(300, 'claims.z', '||')})`,
    claims: ONES,
  },
  {
    name: 'a body of long chains of names',
    expression: `claims.l.exists(x, has(claims${many(50, '.a', '')}))`,
    claims: () => ({ l: list(20_000), a: {} }),
  },
  {
    name: 'exists_one over a product',
    expression: 'claims.l.exists_one(x, claims.l.exists_one(y, x == y))',
    claims: ONES,
  },
  {
    name: 'a map of maps',
    expression: 'claims.l.map(x, claims.l.map(y, claims.l.map(z, z))) == []',
    claims: HUNDRED,
  },
  {
    name: 'filters of filters',
    expression: `claims.l${many(8, '.filter(x, x == 1)', '')} == []`,
    claims: ONES,
  },
  {
    name: 'maps of maps in a row',
    expression: `claims.l${many(8, '.map(x, [x])', '')} == []`,
    claims: ONES,
  },
  {
    name: 'keys of a large map',
    expression: 'claims.exists(k, claims.exists(j, k + j == ""))',
    claims: () => record(5_000, 'k'),
  },
  {
    name: 'a macro over the whole of the claims',
    expression: 'claims.all(k, claims[k] == claims[k])',
    claims: () => ({ a: list(5_000), b: list(5_000) }),
  },
  {
    name: 'time compared in a loop',
    expression: 'claims.l.exists(x, timestamp(x) > timestamp("2020-01-01T00:00:00Z"))',
    claims: ONES,
  },
  {
    name: 'comparisons that try every overload',
    expression: `claims.l.exists(x, ${many(60, 'timestamp(x) < timestamp(0)', ' || ')})`,
    claims: ONES,
  },
  {
    name: 'comparisons that fit no overload',
    expression: `claims.l.exists(x, ${many(100, 'x < claims.l', ' || ')})`,
    claims: ONES,
  },
];

const GROWTH: readonly HostileCase[] = [
  {
    name: 'string doubling',
    expression: `claims.l.map(a, ${many(40, 'claims.s', '+')}).size() == 0`,
    claims: TEXT,
  },
  {
    name: 'a string doubled by nested maps',
    expression:
      '["x"].map(a, a+a+a+a).map(a, a+a+a+a+a+a+a+a).map(a, [a+a+a+a].map(b, b+b+b+b)).size() == 0',
    claims: NONE,
  },
  {
    name: 'strings kept in a list',
    expression: 'claims.l.map(x, claims.s + "y").size() > 0',
    claims: TEXT,
  },
  {
    name: 'bytes kept in a list',
    expression: 'claims.l.map(x, bytes(claims.s)).size() > 0',
    claims: TEXT,
  },
  {
    name: 'bytes concatenated',
    expression: `claims.l.map(x, ${many(30, 'bytes(claims.s)', '+')}).size() > 0`,
    claims: TEXT,
  },
  {
    name: 'strings from bytes',
    expression: 'claims.l.map(x, string(bytes(claims.s))).size() > 0',
    claims: TEXT,
  },
  {
    name: 'strings from bytes literals',
    expression: `claims.l.map(x, string(b"${'y'.repeat(3_500)}")).size() > 0`,
    claims: ONES,
  },
  {
    name: 'list doubling',
    expression: `claims.l.map(x, ${many(30, 'claims.l', '+')}).size() > 0`,
    claims: ONES,
  },
  {
    name: 'a list doubled by nested maps',
    expression: '[claims.l].map(a, a+a+a+a).map(a, a+a+a+a).map(a, a+a+a+a).size() > 0',
    claims: ONES,
  },
  {
    name: 'a sum of fifty lists',
    expression: `size(${many(50, 'claims.l', '+')}) > 0`,
    claims: ONES,
  },
  {
    name: 'large list literals in a loop',
    expression: `claims.l.map(x, [${many(900, '1', ',')}]).size() > 0`,
    claims: ONES,
  },
  {
    name: 'large map literals in a loop',
    expression: `claims.l.map(x, {${Array.from({ length: 300 }, (_, i) => `${i}:x`).join(',')}}).size() > 0`,
    claims: ONES,
  },
  {
    name: 'nested list literals in a loop',
    expression: `claims.l.map(x, ${'['.repeat(50)}x${']'.repeat(50)}).size() > 0`,
    claims: ONES,
  },
  {
    name: 'timestamps kept in a list',
    expression: 'claims.l.map(x, timestamp(x)).map(x, x + duration("1s")).size() > 0',
    claims: ONES,
  },
  {
    name: 'types kept in a list',
    expression: 'claims.l.map(x, [type(x), type([x]), type({x: x})]).size() > 0',
    claims: ONES,
  },
  {
    name: 'a tree of shared lists compared',
    expression:
      '[claims.l].map(a, [a,a,a,a]).map(a, [a,a,a,a]).map(a, [a,a,a,a]).all(a, a == [[[claims.m,claims.m,claims.m,claims.m]]])',
    claims: () => ({ l: list(8_000), m: list(8_000) }),
  },
  {
    name: 'long numbers as text',
    expression: 'claims.l.map(x, string(9223372036854775807) + string(x)).size() > 0',
    claims: ONES,
  },
];

const VALUES: readonly HostileCase[] = [
  {
    name: 'equal lists compared in a loop',
    expression: 'claims.l.exists(x, claims.a != claims.b)',
    claims: () => ({ l: list(5_000), a: list(10_000), b: list(10_000) }),
  },
  {
    name: 'equal maps compared in a loop',
    expression: 'claims.l.exists(x, claims.a != claims.b)',
    claims: () => ({
      l: list(2_000),
      a: record(2_000),
      b: record(2_000),
    }),
  },
  {
    name: 'a large list searched in a loop',
    expression: 'claims.l.exists(x, 2 in claims.l)',
    claims: ONES,
  },
  {
    name: 'a large list searched for a list',
    expression: 'claims.l.exists(x, [[[x]]] in claims.l)',
    claims: ONES,
  },
  {
    name: 'an absent number looked up in a large map',
    expression: 'claims.l.exists(x, x in claims.m)',
    claims: () => ({
      l: list(10_000),
      m: record(4_000, 'k'),
    }),
  },
  {
    name: 'an absent index of a large map',
    expression: 'claims.l.exists(x, claims.m[x])',
    claims: () => ({
      l: list(10_000),
      m: record(4_000, 'k'),
    }),
  },
  {
    name: 'long equal strings compared in a loop',
    expression: 'claims.l.exists(x, claims.a != claims.b)',
    claims: () => ({ l: list(10_000), a: 'x'.repeat(20_000), b: 'x'.repeat(20_000) }),
  },
  {
    name: 'size of a long string in a loop',
    expression: 'claims.l.exists(x, size(claims.s) == 0)',
    claims: TEXT,
  },
  {
    name: 'contains in its worst case',
    expression: 'claims.l.exists(x, claims.s.contains(claims.t))',
    claims: () => ({
      l: list(5_000),
      s: 'a'.repeat(30_000),
      t: `${'a'.repeat(10_000)}b${'a'.repeat(5_000)}`,
    }),
  },
  {
    name: 'a number of 40,000 digits',
    expression: 'claims.l.exists(x, int(claims.s) == 0)',
    claims: () => ({ l: list(10_000), s: '9'.repeat(40_000) }),
  },
  {
    name: 'a fraction of 40,000 digits',
    expression: 'claims.l.exists(x, double(claims.s) == 0.5)',
    claims: () => ({ l: list(10_000), s: `0.${'9'.repeat(40_000)}` }),
  },
  {
    name: 'huge integers',
    expression: 'claims.a * claims.a * claims.a == 1',
    claims: () => ({ a: Number.MAX_SAFE_INTEGER }),
  },
  {
    name: 'the smallest integer divided by -1',
    expression: '-9223372036854775808 / -1 == claims.x',
    claims: () => ({ x: 1 }),
  },
  {
    name: 'an integer too large for a literal',
    expression: `claims.x == ${'9'.repeat(3_000)}`,
    claims: NONE,
  },
  {
    name: 'a double that is infinite',
    expression: 'claims.x * 1e308 * 1e308 == claims.x',
    claims: () => ({ x: 1e300 }),
  },
  {
    name: 'numbers that are not JSON',
    expression: 'claims.x == claims.x',
    claims: () => ({ x: Number.NaN, y: Number.POSITIVE_INFINITY }),
  },
  {
    name: 'a duration bomb',
    expression:
      'claims.l.exists(x, duration(9223372036854775807) + duration(9223372036854775807) == duration("1s"))',
    claims: ONES,
  },
  {
    name: 'a duration of a long text',
    expression: 'claims.l.exists(x, duration(claims.s) == duration("1s"))',
    claims: () => ({ l: list(10_000), s: '1h'.repeat(20_000) }),
  },
  {
    name: 'a timestamp far out',
    expression: 'timestamp(9223372036854775807) == timestamp(0)',
    claims: NONE,
  },
  {
    name: 'a timestamp of a long text',
    expression: 'claims.l.exists(x, timestamp(claims.s) == timestamp(0))',
    claims: TEXT,
  },
  {
    name: 'a time zone in a loop',
    expression: 'claims.l.exists(x, timestamp(x).getHours("America/New_York") == 99)',
    claims: ONES,
  },
  {
    name: 'time zones that do not exist',
    expression: 'claims.l.exists(x, timestamp(x).getHours(claims.s) == 99)',
    claims: TEXT,
  },
  {
    name: 'every time method at once',
    expression: `claims.l.exists(x, ${['FullYear', 'Month', 'Date', 'DayOfYear', 'Hours', 'Seconds'].map((part) => `timestamp(x).get${part}("Asia/Tokyo") == 99`).join(' || ')})`,
    claims: ONES,
  },
];

const PATTERNS: readonly HostileCase[] = [
  {
    name: 'a pattern with a state for each text',
    expression: 'claims.s.matches("(a|b)*a(a|b){12}[cd]")',
    claims: () => ({ s: noise(2_000, 'ab') }),
  },
  {
    name: 'a pattern with a state for each text, in a loop',
    expression: 'claims.l.exists(x, (claims.s + string(x)).matches("(a|b)*a(a|b){60}[cd]"))',
    claims: () => ({ l: list(200, (i) => i), s: noise(300, 'ab') }),
  },
  {
    name: 'different texts against an exploding pattern',
    expression: 'claims.l.exists(x, x.matches("(a|b)*a(a|b){70}[cd]"))',
    claims: () => ({ l: list(100, (i) => noise(500 + i, 'ab')) }),
  },
  {
    name: 'assertions at every character',
    expression: 'claims.l.exists(x, x.matches("(\\\\b|\\\\B|^|$|a|b)*a(a|b){50}[cd]"))',
    claims: () => ({ l: list(100, (i) => noise(500 + i, 'ab')) }),
  },
  {
    name: 'nested stars',
    expression: `claims.s.matches("${'('.repeat(50)}a|b${')*'.repeat(50)}a[ab]{40}[cd]")`,
    claims: () => ({ s: noise(2_000, 'ab') }),
  },
  {
    name: 'the classic of backtracking',
    expression: 'claims.s.matches("^(a+)+$")',
    claims: () => ({ s: `${'a'.repeat(2_000)}!` }),
  },
  { name: 'a text too long to match', expression: 'claims.s.matches("x*y[zw]")', claims: TEXT },
  {
    name: 'counted repetition of counted repetition',
    expression: 'claims.s.matches("((a{10}){10}){10}")',
    claims: TEXT,
  },
  {
    name: 'a pattern from the claims that repeats',
    expression: 'claims.s.matches(claims.p)',
    claims: () => ({ s: 'a', p: '(.{1000})'.repeat(28) }),
  },
  {
    name: 'a pattern from the claims that is malformed',
    expression: 'claims.s.matches(claims.p)',
    claims: () => ({ s: 'a', p: '(((((' }),
  },
  {
    name: 'a pattern from the claims that is long',
    expression: 'claims.s.matches(claims.p)',
    claims: () => ({ s: 'a', p: 'a?'.repeat(20_000) }),
  },
  {
    name: 'many patterns from the claims',
    expression: 'claims.l.exists(x, "a".matches(x))',
    claims: () => ({ l: list(3_000, (i) => `b${String(i)}[a-z]`) }),
  },
  {
    name: 'wide ranges without regard to case',
    expression: 'claims.s.matches(claims.p)',
    claims: () => ({ s: 'a', p: `(?i)${'[B-\u{1e900}]'.repeat(40)}` }),
  },
  {
    name: 'wide ranges without regard to case in the rule',
    expression: `claims.s.matches("(?i)${'[B-\\\\x{1e900}]'.repeat(18)}")`,
    claims: () => ({ s: 'a' }),
  },
  {
    name: 'every Unicode class from the claims',
    expression: 'claims.l.exists(x, "a".matches(x))',
    claims: () => ({
      l: ['Han', 'Thai', 'Greek', 'Latin', 'Hebrew'].map((name) => `\\p{${name}}`),
    }),
  },
  {
    name: 'many Unicode classes in the rule',
    expression: 'claims.s.matches("\\\\p{Han}\\\\p{Thai}\\\\p{Greek}\\\\p{Latin}\\\\p{Hebrew}")',
    claims: () => ({ s: 'a' }),
  },
  {
    name: 'Unicode classes without regard to case',
    expression: 'claims.l.exists(x, x.matches("(?i)(\\\\pL|\\\\pN)*é(\\\\pL|\\\\pN){20}x"))',
    claims: () => ({ l: list(50, (i) => noise(300 + i, 'éa漢b')) }),
  },
];

const SHAPES: readonly HostileCase[] = [
  {
    name: 'parentheses 2,000 deep',
    expression: `${'('.repeat(2_000)}1${')'.repeat(2_000)}`,
    claims: NONE,
  },
  { name: 'parentheses that never close', expression: '('.repeat(4_000), claims: NONE },
  {
    name: 'lists 2,000 deep',
    expression: `${'['.repeat(2_000)}1${']'.repeat(2_000)}`,
    claims: NONE,
  },
  {
    name: 'maps 1,000 deep',
    expression: `${'{1:'.repeat(1_000)}1${'}'.repeat(1_000)}`,
    claims: NONE,
  },
  {
    name: 'macros 300 deep',
    expression: `${'[1].map(x,'.repeat(300)}1${')'.repeat(300)}`,
    claims: NONE,
  },
  { name: 'a chain of 2,000 names', expression: `claims${'.a'.repeat(2_000)}`, claims: NONE },
  { name: 'a sum of 2,000', expression: many(2_000, '1', '+'), claims: NONE },
  { name: 'a choice of 1,000', expression: `${'claims.a?1:'.repeat(370)}true`, claims: NONE },
  { name: '4,000 negations', expression: `${'!'.repeat(4_000)}claims.a`, claims: NONE },
  {
    name: 'an expression of 5,000 characters',
    expression: `claims.a == "${'x'.repeat(5_000)}"`,
    claims: NONE,
  },
  { name: 'a string that never ends', expression: `"${'a'.repeat(4_000)}`, claims: NONE },
  { name: 'blanks only', expression: ' \n\t'.repeat(1_000), claims: NONE },
  { name: 'a surrogate', expression: '"\\ud800" == claims.x', claims: NONE },
  {
    name: 'a code point that does not exist',
    expression: '"\\U00ffffff" == claims.x',
    claims: NONE,
  },
  { name: 'a zero character', expression: 'claims.a == "\0"\0', claims: NONE },
];

const NAMES: readonly HostileCase[] = [
  { name: 'the name __proto__', expression: '__proto__ == claims.x', claims: NONE },
  { name: 'the name constructor', expression: 'constructor == claims.x', claims: NONE },
  { name: 'the name toString as a function', expression: 'toString() == "x"', claims: NONE },
  {
    name: 'the claim __proto__',
    expression: 'has(claims.__proto__) || claims.__proto__.admin',
    claims: () => JSON.parse('{"__proto__": {"admin": "true"}}') as JsonObject,
  },
  {
    name: 'the claim constructor',
    expression: 'claims.constructor.prototype.admin == true',
    claims: () => ({ constructor: { prototype: { admin: 1 } } }),
  },
  { name: 'an absent claim constructor', expression: 'claims.constructor != null', claims: NONE },
  { name: 'a method of Object', expression: 'claims.hasOwnProperty("x")', claims: NONE },
  { name: 'the accumulator of a macro', expression: 'claims.l.exists(x, @result)', claims: ONES },
  {
    name: 'a claim that poses as a message',
    expression: 'claims.x == timestamp(0)',
    claims: () => ({ x: { $typeName: 'google.protobuf.Timestamp', seconds: '0', nanos: 0 } }),
  },
  {
    name: 'a message of the library',
    expression: 'google.protobuf.Any{type_url: "x"} == claims.x',
    claims: NONE,
  },
  {
    name: 'a variable that hides the claims',
    expression: '[true].exists(claims, claims)',
    claims: NONE,
  },
  { name: 'a truth that is a string', expression: 'claims.ok', claims: () => ({ ok: 'true' }) },
  { name: 'a truth that is a number', expression: 'claims.ok', claims: () => ({ ok: 1 }) },
];

const CLAIMS: readonly HostileCase[] = [
  { name: 'claims of 2 MB', expression: 'true', claims: () => ({ s: 'x'.repeat(2_000_000) }) },
  {
    name: 'a claim name of 2 MB',
    expression: 'true',
    claims: () => ({ ['x'.repeat(2_000_000)]: 1 }),
  },
  { name: 'a million claims', expression: 'true', claims: () => ({ l: list(1_000_000) }) },
  {
    name: 'claims of 64 KiB in four-byte characters',
    expression: 'true',
    claims: () => ({ s: '😀'.repeat(16_384) }),
  },
  {
    name: 'claims 17 deep',
    expression: 'true',
    claims: () => ({ x: nest(16, (inner) => [inner]) }),
  },
  {
    name: 'lists 5,000 deep',
    expression: 'true',
    claims: () => ({ x: nest(5_000, (inner) => [inner]) }),
  },
  {
    name: 'objects 5,000 deep',
    expression: 'true',
    claims: () => ({ x: nest(5_000, (inner) => ({ x: inner })) }),
  },
  {
    name: 'ten thousand empty objects',
    expression: 'claims.l.exists(x, has(x.y))',
    claims: () => ({ l: list(10_000, () => ({})) }),
  },
];

export const HOSTILE_CASES: readonly HostileCase[] = [
  ...COMPREHENSIONS,
  ...GROWTH,
  ...VALUES,
  ...PATTERNS,
  ...SHAPES,
  ...NAMES,
  ...CLAIMS,
];
