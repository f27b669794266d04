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
import type { FieldRules } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';

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
  switch (type.case) {
    case undefined:
      return {};
    case 'string': {
      const rules = type.value;
      assertKnown(StringRulesSchema, rules, [
        'minLen',
        'maxLen',
        'pattern',
        'uuid',
        'uri',
        'email',
      ]);
      const { value: format } =
        rules.wellKnown.case === undefined ? { value: false } : rules.wellKnown;
      return {
        ...(rules.minLen > 0n && { minLength: Number(rules.minLen) }),
        ...(rules.maxLen > 0n && { maxLength: Number(rules.maxLen) }),
        ...(rules.pattern !== '' && { pattern: rules.pattern }),
        ...(format !== false && { format: String(rules.wellKnown.case) }),
      };
    }
    case 'int32': {
      const { greaterThan, lessThan } = type.value;
      assertKnown(Int32RulesSchema, type.value, ['gte', 'lte']);
      return {
        ...(greaterThan.case === 'gte' && { minimum: greaterThan.value }),
        ...(lessThan.case === 'lte' && { maximum: lessThan.value }),
      };
    }
    case 'duration':
      assertKnown(DurationRulesSchema, type.value, ['gte', 'lte']);
      // JSON Schema cannot compare durations; the field's comment says what may be.
      return {};
    case 'enum':
      assertKnown(EnumRulesSchema, type.value, ['definedOnly']);
      return {};
    case 'repeated': {
      const { minItems, maxItems, unique, items } = type.value;
      assertKnown(RepeatedRulesSchema, type.value, ['minItems', 'maxItems', 'unique', 'items']);
      return {
        ...(minItems > 0n && { minItems: Number(minItems) }),
        ...(maxItems > 0n && { maxItems: Number(maxItems) }),
        ...(unique && { uniqueItems: true }),
        ...(items !== undefined && { items: describeRules(items) }),
      };
    }
    case 'map': {
      const { maxPairs, keys, values } = type.value;
      assertKnown(MapRulesSchema, type.value, ['maxPairs', 'keys', 'values']);
      return {
        ...(maxPairs > 0n && { maxProperties: Number(maxPairs) }),
        ...(keys !== undefined && { propertyNames: describeRules(keys) }),
        ...(values !== undefined && { additionalProperties: describeRules(values) }),
      };
    }
    default:
      throw new Error(`rules of ${type.case} have no form in JSON Schema yet`);
  }
}

function assertKnown<Desc extends DescMessage>(
  desc: Desc,
  rules: MessageShape<Desc>,
  known: readonly string[],
): void {
  const unknown = desc.fields.filter(
    (field) => isFieldSet(rules, field) && !known.includes(field.localName),
  );
  if (unknown.length > 0)
    throw new Error(`no form in JSON Schema yet: ${unknown.map(({ name }) => name).join()}`);
}
