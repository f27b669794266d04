/**
 * Owns what protovalidate's rules are in JSON Schema. It knows the rules that our schema uses and throws on the rest, so
 * that none is forgotten.
 */
import { getOption, isFieldSet } from '@bufbuild/protobuf';
import type { DescField, DescMessage, MessageShape } from '@bufbuild/protobuf';
import {
  DurationRulesSchema,
  EnumRulesSchema,
  field as fieldRules,
  Ignore,
  Int32RulesSchema,
  MapRulesSchema,
  RepeatedRulesSchema,
  StringRulesSchema,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import type {
  FieldRules,
  StringRules,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';

import type { JsonSchema } from './document.ts';

export function readRules(field: DescField): FieldRules {
  return getOption(field, fieldRules);
}

/**
 * Whether a request has to have the field: it is required, or it has no presence, so that it is there with its zero value,
 * and the rules refuse that.
 */
export function isNeeded(field: DescField): boolean {
  const { required, ignore, type } = readRules(field);
  if (required) return true;
  if (field.presence !== FeatureSet_FieldPresence.IMPLICIT || ignore !== Ignore.UNSPECIFIED)
    return false;
  if (type.case === 'string') return type.value.minLen > 0n || type.value.wellKnown.value === true;
  return type.case === 'repeated' && type.value.minItems > 0n;
}

/** The rules of a field in a request, to be merged into its schema. */
export function describeRules(rules: FieldRules): JsonSchema {
  const schema = describeType(rules);
  if (rules.cel.length > 0 || rules.celExpression.length > 0)
    throw new Error('rules in CEL have no form in JSON Schema');
  if (rules.ignore !== Ignore.IF_ZERO_VALUE || Object.keys(schema).length === 0) return schema;
  // The zero value of a string is as good as none.
  return { anyOf: [{ maxLength: 0 }, schema] };
}

function describeType({ type }: FieldRules): JsonSchema {
  if (type.case === undefined) return {};
  if (type.case === 'string') return describeString(type.value);
  if (type.case === 'int32') {
    assertKnown(Int32RulesSchema, type.value, ['gte', 'lte']);
    const { greaterThan, lessThan } = type.value;
    return {
      ...(greaterThan.case === 'gte' && { minimum: greaterThan.value }),
      ...(lessThan.case === 'lte' && { maximum: lessThan.value }),
    };
  }
  if (type.case === 'repeated') {
    const { minItems, maxItems, unique, items } = type.value;
    assertKnown(RepeatedRulesSchema, type.value, ['minItems', 'maxItems', 'unique', 'items']);
    return {
      ...(minItems > 0n && { minItems: Number(minItems) }),
      ...(maxItems > 0n && { maxItems: Number(maxItems) }),
      ...(unique && { uniqueItems: true }),
      ...(items !== undefined && { items: describeRules(items) }),
    };
  }
  if (type.case === 'map') {
    const { maxPairs, keys, values } = type.value;
    assertKnown(MapRulesSchema, type.value, ['maxPairs', 'keys', 'values']);
    return {
      ...(maxPairs > 0n && { maxProperties: Number(maxPairs) }),
      ...(keys !== undefined && { propertyNames: describeRules(keys) }),
      ...(values !== undefined && { additionalProperties: describeRules(values) }),
    };
  }
  // No other value is in the schema of an enum; and JSON Schema cannot compare durations: their comments say what may be.
  if (type.case === 'enum') return assertKnown(EnumRulesSchema, type.value, ['definedOnly']);
  if (type.case === 'duration') return assertKnown(DurationRulesSchema, type.value, ['gte', 'lte']);
  throw new Error(`rules of ${type.case} have no form in JSON Schema yet`);
}

function describeString(rules: StringRules): JsonSchema {
  const { minLen, maxLen, pattern, wellKnown } = rules;
  assertKnown(StringRulesSchema, rules, ['minLen', 'maxLen', 'pattern', 'uuid', 'uri', 'email']);
  return {
    ...(minLen > 0n && { minLength: Number(minLen) }),
    ...(maxLen > 0n && { maxLength: Number(maxLen) }),
    ...(pattern !== '' && { pattern }),
    ...(wellKnown.value === true && { format: wellKnown.case }),
  };
}

function assertKnown<Desc extends DescMessage>(
  desc: Desc,
  rules: MessageShape<Desc>,
  known: readonly string[],
): JsonSchema {
  const unknown = desc.fields.filter(
    (field) => isFieldSet(rules, field) && !known.includes(field.localName),
  );
  if (unknown.length > 0)
    throw new Error(`no form in JSON Schema yet: ${unknown.map(({ name }) => name).join()}`);
  return {};
}
