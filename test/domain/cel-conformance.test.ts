/**
 * The conformance cases of the CEL specification that concern what a claims expression has: maps, strings, lists,
 * logic, macros, and the comparisons, conversions, numbers and times that they are used with. They run through our own
 * parser, emitter, functions and budget. Cases about messages (protobuf) and about the checker are named below, as
 * claims have no messages and our checker is a different one.
 */
import { celList, celMap, celType, celUint, isCelList, isCelMap, isCelUint } from '@bufbuild/cel';
import type { CelInput, CelValue } from '@bufbuild/cel';
import type { Value } from '@bufbuild/cel-spec/cel/expr/value_pb.js';
import { getConformanceSuite } from '@bufbuild/cel-spec/testdata/tests.js';
import type { IncrementalTest, IncrementalTestSuite } from '@bufbuild/cel-spec/testdata/tests.js';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { createRegistry, equals } from '@bufbuild/protobuf';
import { DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/domain/cel-evaluator.ts';
import type { CelOutcome } from '../../src/domain/cel-evaluator.ts';

const REGISTRY = createRegistry(DurationSchema, TimestampSchema);

/** A message of protobuf is made or named, with blanks in all places. */
const MESSAGE = /\b[A-Z]\w*\s*(?:\/\/.*\s*)?\{/;

/** How many cases each suite has, how many of them are about messages, and the names of those that do not pass. */
const EXPECTED: Readonly<
  Record<
    string,
    { readonly cases: number; readonly messages: number; readonly failing: readonly string[] }
  >
> = {
  basic: { cases: 43, messages: 0, failing: [] },
  comparisons: { cases: 406, messages: 72, failing: [] },
  conversions: { cases: 109, messages: 0, failing: [] },
  fields: {
    cases: 60,
    messages: 0,
    failing: [
      // The library's parser has no names in backquotes; claims["name"] does the same.
      'quoted_map_fields/field_access_dash',
      'quoted_map_fields/field_access_dot',
      'quoted_map_fields/field_access_slash',
      'quoted_map_fields/has_field_dash',
      'quoted_map_fields/has_field_dot',
      'quoted_map_fields/has_field_slash',
    ],
  },
  fp_math: { cases: 30, messages: 0, failing: [] },
  integer_math: { cases: 64, messages: 0, failing: [] },
  lists: { cases: 39, messages: 0, failing: [] },
  logic: { cases: 30, messages: 0, failing: [] },
  macros: { cases: 44, messages: 0, failing: [] },
  parse: { cases: 219, messages: 26, failing: [] },
  string: { cases: 51, messages: 0, failing: [] },
  timestamps: { cases: 76, messages: 0, failing: [] },
};

describe('the cases of the CEL specification', () => {
  const suites = new Map(getConformanceSuite().suites.map((suite) => [suite.name, suite]));

  it.each(Object.entries(EXPECTED))(
    'pass in the suite %s, but for the named ones',
    (name, { cases, messages, failing }) => {
      const all = listTests(suites.get(name));
      const ours = all.filter(({ test }) => !MESSAGE.test(test.original.expr));
      const failed = ours.filter(({ test }) => !passes(test)).map(({ path }) => path);
      expect(failed.toSorted()).toEqual(failing.toSorted());
      expect({ cases: all.length, passing: ours.length - failed.length }).toEqual({
        cases,
        passing: cases - messages - failing.length,
      });
    },
  );

  it('are 1,171 in these suites, of which 1,067 pass, 6 fail and 98 are about messages', () => {
    const rows = Object.values(EXPECTED);
    const cases = rows.reduce((sum, row) => sum + row.cases, 0);
    const messages = rows.reduce((sum, row) => sum + row.messages, 0);
    const failing = rows.reduce((sum, row) => sum + row.failing.length, 0);
    expect({ cases, messages, failing, passing: cases - messages - failing }).toEqual({
      cases: 1_171,
      messages: 98,
      failing: 6,
      passing: 1_067,
    });
  });
});

function listTests(
  suite: IncrementalTestSuite | undefined,
  prefix = '',
): readonly { readonly path: string; readonly test: IncrementalTest }[] {
  if (suite === undefined) return [];
  const own = suite.tests.map((test) => ({ path: `${prefix}${test.name}`, test }));
  return [...own, ...suite.suites.flatMap((inner) => listTests(inner, `${prefix}${inner.name}/`))];
}

function passes({ original }: IncrementalTest): boolean {
  let outcome: CelOutcome;
  try {
    const bindings = Object.entries(original.bindings).map(([name, { kind }]) => {
      if (kind.case !== 'value') throw new Error('only values can be bound');
      return [name, toInput(kind.value)] as const;
    });
    outcome = createProgram(original.expr).evaluate(Object.fromEntries(bindings));
  } catch {
    // A case may expect an error, and one found before the evaluation is the earlier the better.
    return original.resultMatcher.case === 'evalError';
  }
  const { resultMatcher } = original;
  switch (resultMatcher.case) {
    case 'evalError':
    case 'anyEvalErrors':
      return outcome.kind === 'error';
    case 'value':
      return outcome.kind === 'value' && isSame(outcome.value, resultMatcher.value);
    case undefined:
      return outcome.kind === 'value' && outcome.value === true;
    case 'anyUnknowns':
    case 'typedResult':
    case 'unknown':
      return false;
  }
}

function toInput({ kind }: Value): CelInput {
  switch (kind.case) {
    case 'nullValue':
      return null;
    case 'uint64Value':
      return celUint(kind.value);
    case 'listValue':
      return celList(kind.value.values.map(toInput));
    case 'mapValue':
      return celMap(
        new Map(
          kind.value.entries.map(({ key, value }) => [readKey(key), value ? toInput(value) : null]),
        ),
      );
    case 'boolValue':
    case 'int64Value':
    case 'doubleValue':
    case 'stringValue':
    case 'bytesValue':
      return kind.value;
    case 'objectValue':
      return anyUnpack(kind.value, REGISTRY) ?? null;
    case 'enumValue':
    case 'typeValue':
    case undefined:
      throw new Error(`a ${kind.case ?? 'missing value'} cannot be bound`);
  }
}

function readKey(key: Value | undefined): string | bigint | boolean {
  const kind = key?.kind;
  if (kind?.case === 'stringValue' || kind?.case === 'int64Value' || kind?.case === 'boolValue')
    return kind.value;
  throw new Error('not a key');
}

/** Whether the value is the expected one, type included. */
function isSame(value: CelValue | undefined, { kind }: Value): boolean {
  switch (kind.case) {
    case 'nullValue':
      return value === null;
    case 'boolValue':
    case 'int64Value':
    case 'stringValue':
      return value === kind.value;
    case 'doubleValue':
      return typeof value === 'number' && Object.is(value, kind.value);
    case 'uint64Value':
      return isCelUint(value) && value.value === kind.value;
    case 'bytesValue':
      return value instanceof Uint8Array && Buffer.compare(value, kind.value) === 0;
    case 'listValue': {
      if (!isCelList(value)) return false;
      const { values } = kind.value;
      return (
        value.size === values.length &&
        values.every((item, index) => isSame(value.get(index), item))
      );
    }
    case 'mapValue': {
      if (!isCelMap(value)) return false;
      const { entries } = kind.value;
      const found = [...value];
      return (
        found.length === entries.length &&
        entries.every((entry) =>
          found.some(
            ([key, item]) =>
              entry.key && entry.value && isSame(key, entry.key) && isSame(item, entry.value),
          ),
        )
      );
    }
    case 'typeValue':
      return (
        typeof value === 'object' && value !== null && 'name' in value && value.name === kind.value
      );
    case 'objectValue': {
      const message = anyUnpack(kind.value, REGISTRY);
      if (
        message === undefined ||
        typeof value !== 'object' ||
        value === null ||
        !('message' in value)
      )
        return false;
      const schema =
        message.$typeName === DurationSchema.typeName ? DurationSchema : TimestampSchema;
      return (
        celType(value).name === message.$typeName &&
        equals(schema, value.message as never, message as never)
      );
    }
    case 'enumValue':
    case undefined:
      return false;
  }
}
