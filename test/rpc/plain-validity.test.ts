// The quick yes is never said to what the validator refuses; and it is said to what most calls ask.
import {
  create,
  createFileRegistry,
  fromBinary,
  ScalarType,
  setExtension,
  toBinary,
} from '@bufbuild/protobuf';
import type { DescField, DescMessage, Message, MessageInitShape } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldOptionsSchema,
  file_google_protobuf_descriptor,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt';
import type { DescriptorProtoSchema, FieldDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import {
  field as fieldRules,
  FieldRulesSchema,
  file_buf_validate_validate,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  GetSSOConfigurationRequestSchema,
  ListSSOConfigurationsRequestSchema,
} from '../../gen/gitpod/v1/organization_pb.ts';
import { isPlainlyValid } from '../../src/rpc/plain-validity.ts';
import { createRequestValidator } from '../../src/rpc/request-validator.ts';
import { OUR_SERVICES } from '../support/our-services.ts';

const REQUESTS = OUR_SERVICES.flatMap(({ methods }) => methods.map(({ input }) => input));

const ID = '0198c0a8-1111-7000-8000-0123456789ab';

/** What is at the edge of some rule, and what no rule allows. */
const TEXTS = fc.oneof(
  fc.constantFrom(
    '',
    ID,
    ID.toUpperCase(),
    `${ID} `,
    `x${ID}`,
    'acme.example',
    'https://a.example',
  ),
  fc.constantFrom('abc', 'abcd', '🚀🚀', '🚀🚀🚀🚀', 'a\0bc', '\0', `${ID.slice(0, -1)}\0`),
  fc.integer({ min: 0, max: 5000 }).map((length) => 'x'.repeat(length)),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const NUMBERS = fc.oneof(
  fc.constantFrom(-1, 0, 1, 25, 99, 100, 101, 2 ** 31 - 1, -(2 ** 31)),
  fc.integer(),
);

/** Messages of every shape; fields of kinds that the quick yes leaves to the validator are mostly empty. */
function anyMessage(schema: DescMessage, depth = 0): fc.Arbitrary<Message> {
  const parts = Object.fromEntries(
    schema.fields
      .filter((field) => field.oneof === undefined && (field.message === undefined || depth < 3))
      .map((field) => [field.localName, fc.option(anyValue(field, depth), { nil: undefined })]),
  );
  return fc.record(parts, { requiredKeys: [] }).map((init) => {
    const given = Object.entries(init).filter(([, value]) => value !== undefined);
    return create(schema, Object.fromEntries(given) as MessageInitShape<DescMessage>);
  });
}

function anyValue(field: DescField, depth: number): fc.Arbitrary<unknown> {
  switch (field.fieldKind) {
    case 'message':
      return anyMessage(field.message, depth + 1);
    case 'enum':
      return fc.integer({ min: -1, max: 12 });
    case 'list':
      return field.listKind === 'scalar' && field.scalar === ScalarType.STRING
        ? fc.array(TEXTS, { maxLength: 2 })
        : fc.constant([]);
    case 'map':
      return fc.dictionary(TEXTS, TEXTS, { maxKeys: 2 }).filter(() => field.mapKind === 'scalar');
    case 'scalar':
      return anyScalar(field.scalar);
  }
}

function anyScalar(scalar: ScalarType): fc.Arbitrary<unknown> {
  if (scalar === ScalarType.STRING) return TEXTS;
  if (scalar === ScalarType.BOOL) return fc.boolean();
  if (scalar === ScalarType.BYTES) return fc.uint8Array({ maxLength: 4 });
  return scalar === ScalarType.INT64 || scalar === ScalarType.UINT64
    ? fc.bigInt({ min: 0n, max: 1000n })
    : NUMBERS.map((number) => (scalar === ScalarType.UINT32 ? Math.abs(number) : number));
}

const { INT32, STRING, MESSAGE, BOOL } = FieldDescriptorProto_Type;
const { OPTIONAL, REPEATED } = FieldDescriptorProto_Label;

type FieldInit = MessageInitShape<typeof FieldDescriptorProtoSchema>;

/** A message of one field `a`, which our schema has not, with these rules. */
function makeSchema(
  field: FieldInit,
  rules?: MessageInitShape<typeof FieldRulesSchema>,
  {
    syntax = 'proto3',
    ...rest
  }: MessageInitShape<typeof DescriptorProtoSchema> & { syntax?: string } = {},
): DescMessage {
  const options = create(FieldOptionsSchema);
  if (rules !== undefined) setExtension(options, fieldRules, create(FieldRulesSchema, rules));
  const label = OPTIONAL;
  const file = create(FileDescriptorProtoSchema, {
    name: 'test.proto',
    package: 'test',
    syntax,
    dependency: ['buf/validate/validate.proto'],
    messageType: [
      {
        name: 'M',
        field: [{ name: 'a', jsonName: 'a', number: 1, label, options, ...field }],
        ...rest,
      },
    ],
  });
  const known = [
    file_buf_validate_validate,
    file_google_protobuf_descriptor,
    ...file_buf_validate_validate.dependencies,
  ];
  const registry = createFileRegistry(
    fromBinary(FileDescriptorProtoSchema, toBinary(FileDescriptorProtoSchema, file)),
    (name) => known.find((other) => `${other.name}.proto` === name),
  );
  const schema = registry.getMessage('test.M');
  if (schema === undefined) throw new Error('There is no such message');
  return schema;
}

/** Rules that our schema may have one day, and values that break them. */
const OTHERS: readonly [what: string, schema: DescMessage, init: object][] = [
  ['a number that is required, and 0', makeSchema({ type: INT32 }, { required: true }), {}],
  [
    'the same, which may be 0 by its bounds',
    makeSchema(
      { type: INT32 },
      {
        required: true,
        type: { case: 'int32', value: { greaterThan: { case: 'gte', value: 0 } } },
      },
    ),
    {},
  ],
  [
    'a UUID that is too long',
    makeSchema(
      { type: STRING },
      {
        type: { case: 'string', value: { wellKnown: { case: 'uuid', value: true }, maxLen: 10n } },
      },
    ),
    { a: ID },
  ],
  [
    'a map with U+0000 in a key',
    makeSchema({ type: MESSAGE, label: REPEATED, typeName: '.test.M.AEntry' }, undefined, {
      nestedType: [
        {
          name: 'AEntry',
          options: { mapEntry: true },
          field: [
            { name: 'key', jsonName: 'key', number: 1, type: STRING, label: OPTIONAL },
            { name: 'value', jsonName: 'value', number: 2, type: BOOL, label: OPTIONAL },
          ],
        },
      ],
    }),
    { a: { 'x\0y': true } },
  ],
  [
    'a text that is not set, with a default',
    makeSchema({ type: STRING, defaultValue: 'x' }, { required: true }, { syntax: 'proto2' }),
    {},
  ],
];

describe('the quick yes', () => {
  const validator = createRequestValidator();

  test.each(REQUESTS.map((schema) => [schema.typeName, schema] as const))(
    'is said to no %s that the validator refuses',
    (_name, schema) => {
      fc.assert(
        fc.property(anyMessage(schema), (message) => {
          if (!isPlainlyValid(schema, message)) return;
          expect(validator.validate(schema, message).kind).toBe('valid');
        }),
        { numRuns: 300 },
      );
    },
  );

  test.each(OTHERS)('is not said to %s', (_what, schema, init) => {
    const message = create(schema, init as MessageInitShape<DescMessage>);
    expect(validator.validate(schema, message).kind).toBe('invalid');
    expect(isPlainlyValid(schema, message)).toBe(false);
  });

  test('is said to what most calls ask', () => {
    const get = create(GetSSOConfigurationRequestSchema, { ssoConfigurationId: ID });
    expect(isPlainlyValid(GetSSOConfigurationRequestSchema, get)).toBe(true);
    for (const pagination of [undefined, { pageSize: 100, token: 'x' }]) {
      const init = { organizationId: ID, ...(pagination && { pagination }) };
      const list = create(ListSSOConfigurationsRequestSchema, init);
      expect(isPlainlyValid(ListSSOConfigurationsRequestSchema, list)).toBe(true);
    }
  });
});
