/**
 * Owns what messages and enums are in JSON Schema, as requests and as answers: they differ in what has to be there. How
 * messages are written in JSON: https://protobuf.dev/programming-guides/json/.
 */
import { ScalarType } from '@bufbuild/protobuf';
import type { DescEnum, DescField, DescMessage } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';

import { readComment } from './comments.ts';
import type { JsonSchema } from './document.ts';
import { describeRules, isNeeded, readRules } from './rules.ts';

/** Whether somebody is to write the message, by the rules, or has read what we write. */
export type Direction = 'request' | 'answer';

const WELL_KNOWN: Readonly<Record<string, JsonSchema>> = {
  'google.protobuf.Timestamp': { type: 'string', format: 'date-time' },
  'google.protobuf.Duration': {
    type: 'string',
    pattern: '^-?[0-9]{1,12}(\\.[0-9]{1,9})?s$',
  },
};

const SCALARS: Readonly<Partial<Record<ScalarType, JsonSchema>>> = {
  [ScalarType.STRING]: { type: 'string' },
  [ScalarType.BOOL]: { type: 'boolean' },
  [ScalarType.INT32]: { type: 'integer', format: 'int32' },
  [ScalarType.UINT32]: { type: 'integer', minimum: 0 },
  // 64 bits are more than JSON's numbers hold.
  [ScalarType.INT64]: { type: 'string', pattern: '^-?[0-9]{1,19}$' },
  [ScalarType.UINT64]: { type: 'string', pattern: '^[0-9]{1,20}$' },
  [ScalarType.DOUBLE]: { type: 'number', format: 'double' },
  [ScalarType.BYTES]: { type: 'string', contentEncoding: 'base64' },
};

/** Collects the schemas of all messages and enums that operations name. */
export class SchemaCollection {
  readonly schemas: Record<string, JsonSchema> = {};

  /** A reference to the message's schema, which is made if it is not there yet. */
  refer(desc: DescMessage | DescEnum, direction: Direction): JsonSchema {
    const name = nameSchema(desc, direction);
    if (!(name in this.schemas)) {
      // Before its fields are looked at: they may name it again.
      this.schemas[name] = {};
      this.schemas[name] =
        desc.kind === 'enum' ? describeEnum(desc) : this.#describeMessage(desc, direction);
    }
    return { $ref: `#/components/schemas/${name}` };
  }

  #describeMessage(desc: DescMessage, direction: Direction): JsonSchema {
    if (desc.oneofs.some(({ fields }) => fields.length > 1))
      throw new Error(`${desc.typeName}: oneofs have no form here yet`);
    const properties = desc.fields.map((field) => [
      field.jsonName,
      { ...this.#describeField(field, direction), ...describe(readComment(field)) },
    ]);
    const required = desc.fields
      .filter((field) => isAlwaysThere(field, direction))
      .map(({ jsonName }) => jsonName);
    return {
      type: 'object',
      ...describe(readComment(desc)),
      ...(properties.length > 0 && { properties: Object.fromEntries(properties) }),
      ...(required.length > 0 && { required }),
    };
  }

  #describeField(field: DescField, direction: Direction): JsonSchema {
    const rules = readRules(field);
    const schema = this.#describeType(field, direction);
    if (direction === 'answer') {
      const isId = rules.type.case === 'string' && rules.type.value.wellKnown.case === 'uuid';
      return isId && rules.required ? { ...schema, format: 'uuid' } : schema;
    }
    return merge(merge(schema, describeZero(field, rules.required)), describeRules(rules));
  }

  #describeType(field: DescField, direction: Direction): JsonSchema {
    switch (field.fieldKind) {
      case 'scalar':
        return describeScalar(field.scalar);
      case 'enum':
        return this.refer(field.enum, direction);
      case 'message':
        return WELL_KNOWN[field.message.typeName] ?? this.refer(field.message, direction);
      case 'list':
        return { type: 'array', items: this.#describeItem(field, direction) };
      case 'map':
        return { type: 'object', additionalProperties: this.#describeItem(field, direction) };
    }
  }

  #describeItem(
    field: DescField & { fieldKind: 'list' | 'map' },
    direction: Direction,
  ): JsonSchema {
    const kind = field.fieldKind === 'list' ? field.listKind : field.mapKind;
    if (kind === 'scalar' && field.scalar !== undefined) return describeScalar(field.scalar);
    if (kind === 'enum' && field.enum !== undefined) return this.refer(field.enum, direction);
    if (field.message === undefined) throw new Error(`${field.name} holds nothing known`);
    return WELL_KNOWN[field.message.typeName] ?? this.refer(field.message, direction);
  }
}

/** Types that are both asked with and answered have two names; no type has `Input` at its end by itself. */
function nameSchema(desc: DescMessage | DescEnum, direction: Direction): string {
  const isOnlyAsked = /Request(?:\.|$)/.test(desc.typeName);
  const isInput = desc.kind === 'message' && direction === 'request' && !isOnlyAsked;
  return isInput ? `${desc.typeName}Input` : desc.typeName;
}

function describeEnum(desc: DescEnum): JsonSchema {
  const lines = desc.values
    .map((value) => ({ name: value.name, comment: readComment(value) }))
    .filter(({ comment }) => comment !== '')
    .map(({ name, comment }) => `- \`${name}\`: ${comment}`);
  return {
    type: 'string',
    enum: desc.values.map(({ name }) => name),
    ...describe([readComment(desc), lines.join('\n')].filter((text) => text !== '').join('\n\n')),
  };
}

function describeScalar(scalar: ScalarType): JsonSchema {
  const schema = SCALARS[scalar];
  if (schema === undefined) throw new Error(`${ScalarType[scalar]} has no form in JSON Schema yet`);
  return schema;
}

/** Zero values are written, so what has no presence is always there; and what the contract promises. */
function isAlwaysThere(field: DescField, direction: Direction): boolean {
  if (direction === 'request') return isNeeded(field);
  return (
    readRules(field).required ||
    field.fieldKind === 'list' ||
    field.fieldKind === 'map' ||
    isImplicit(field)
  );
}

function isImplicit(field: DescField): boolean {
  return field.presence === FeatureSet_FieldPresence.IMPLICIT;
}

/** For protovalidate, what has no presence and is zero is absent. */
function describeZero(field: DescField, required: boolean): JsonSchema {
  if (!required) return {};
  if (field.fieldKind === 'list') return { minItems: 1 };
  if (field.fieldKind === 'map') return { minProperties: 1 };
  if (field.fieldKind === 'scalar' && field.scalar === ScalarType.STRING) return { minLength: 1 };
  const [zero] = field.fieldKind === 'enum' ? field.enum.values : [];
  return zero === undefined ? {} : { not: { const: zero.name } };
}

/** Of two schemas that speak of the same, the second knows better; items and values are merged in turn. */
function merge(schema: JsonSchema, rules: JsonSchema): JsonSchema {
  const merged: Record<string, unknown> = { ...schema };
  for (const [keyword, rule] of Object.entries(rules)) {
    const before = merged[keyword];
    merged[keyword] = isSchema(before) && isSchema(rule) ? merge(before, rule) : rule;
  }
  return merged;
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(text: string): JsonSchema {
  return text === '' ? {} : { description: text };
}
