import { create, createFileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { DescMessage } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt';
import { ConnectError } from '@connectrpc/connect';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  GetSSOConfigurationRequestSchema,
  ListMembersRequestSchema,
} from '../../gen/gitpod/v1/organization_pb.ts';
import { compileStrictEnums } from '../../src/http/strict-enums.ts';

const field = (name: string, number: number, typeName: string, label = Label.OPTIONAL) => ({
  name,
  number,
  label,
  type: typeName.endsWith('Color') ? Type.ENUM : Type.MESSAGE,
  typeName,
});

/** Every place in which an enum can be: itself, in a list, in a map, in a oneof, in a message that contains itself. */
const file = create(FileDescriptorProtoSchema, {
  name: 'strict.proto',
  package: 'strict',
  syntax: 'proto3',
  enumType: [
    {
      name: 'Color',
      value: [
        { name: 'COLOR_UNSPECIFIED', number: 0 },
        { name: 'COLOR_RED', number: 1 },
        { name: 'COLOR_NEGATIVE', number: -7 },
      ],
    },
  ],
  messageType: [
    {
      name: 'Tree',
      field: [
        { ...field('main_color', 1, '.strict.Color'), jsonName: 'mainColor' },
        field('list', 2, '.strict.Color', Label.REPEATED),
        { ...field('by_key', 3, '.strict.Tree.ByKeyEntry', Label.REPEATED), jsonName: 'byKey' },
        { ...field('chosen', 4, '.strict.Color'), oneofIndex: 0 },
        { ...field('tree', 5, '.strict.Tree'), oneofIndex: 0 },
        field('branches', 6, '.strict.Tree', Label.REPEATED),
        field('named', 7, '.strict.Tree.NamedEntry', Label.REPEATED),
        { name: 'text', number: 8, type: Type.STRING, label: Label.OPTIONAL },
      ],
      oneofDecl: [{ name: 'choice' }],
      nestedType: [
        {
          name: 'ByKeyEntry',
          field: [
            { name: 'key', number: 1, type: Type.STRING, label: Label.OPTIONAL },
            field('value', 2, '.strict.Color'),
          ],
          options: { mapEntry: true },
        },
        {
          name: 'NamedEntry',
          field: [
            { name: 'key', number: 1, type: Type.STRING, label: Label.OPTIONAL },
            field('value', 2, '.strict.Tree'),
          ],
          options: { mapEntry: true },
        },
      ],
    },
  ],
});

const tree = createFileRegistry(file, () => undefined).getMessage('strict.Tree') as DescMessage;
const strict = compileStrictEnums(tree) ?? expect.fail('the tree has enums');

function refusal(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (reason) {
    return reason instanceof ConnectError ? reason.message : expect.fail(String(reason));
  }
}

const refused = (path: string) =>
  `[invalid_argument] ${path}: value must be one of the defined enum values [enum.defined_only]`;

describe('an enum value that is not defined', () => {
  it.for([
    ['main_color', { mainColor: 'COLOR_BLUE' }],
    ['main_color', { main_color: 'COLOR_BLUE' }],
    ['main_color', { mainColor: 2 }],
    ['main_color', { mainColor: '1' }],
    ['main_color', { mainColor: '' }],
    ['main_color', { mainColor: 'toString' }],
    ['list[1]', { list: ['COLOR_RED', 'color_red'] }],
    ['by_key["a b"]', { byKey: { x: 0, 'a b': 99 } }],
    ['chosen', { chosen: 'COLOR_BLUE' }],
    ['tree.tree.main_color', { tree: { tree: { mainColor: 9 } } }],
    ['branches[0].branches[1].list[0]', { branches: [{ branches: [{}, { list: [4] }] }] }],
    ['named["k"].chosen', { named: { k: { chosen: 'x' } } }],
  ] as const)('is refused in JSON at %s', ([path, json]) => {
    expect(refusal(() => strict.checkJson(json))).toBe(refused(path));
  });

  it.for([
    ['main_color', { mainColor: 2 }],
    ['list[1]', { list: [1, -1] }],
    ['by_key["k"]', { byKey: { k: 7 } }],
    ['chosen', { choice: { case: 'chosen', value: 7 } }],
    ['tree.main_color', { choice: { case: 'tree', value: { mainColor: 7 } } }],
    ['branches[1].main_color', { branches: [{}, { mainColor: 7 }] }],
    ['named["k"].list[0]', { named: { k: { list: [7] } } }],
  ] as const)('is refused in binary at %s', ([path, init]) => {
    const message = fromBinary(tree, toBinary(tree, create(tree, init as never)));
    expect(refusal(() => strict.checkMessage(message))).toBe(refused(path));
  });

  it('comes with the violation as a detail', () => {
    try {
      strict.checkJson({ list: [5] });
      expect.fail('refuses');
    } catch (reason) {
      expect((reason as ConnectError).details).toMatchObject([
        { desc: { typeName: 'buf.validate.Violations' } },
      ]);
    }
  });
});

describe('what is no unknown enum value', () => {
  it.for([
    {},
    null,
    [],
    'text',
    7,
    { mainColor: 'COLOR_RED', list: ['COLOR_NEGATIVE', -7, 0], byKey: { a: 1 } },
    // An absent value.
    { mainColor: null, list: null, byKey: null, tree: null },
    // For the parser to refuse, in its own words.
    { mainColor: true, list: 'COLOR_BLUE', byKey: ['x'], tree: 5, chosen: {} },
    { mainColor: 1.5 },
    // Of no concern: fields that are not there are ignored.
    { unknown: 'COLOR_BLUE', text: 'COLOR_BLUE' },
  ])('passes in JSON: %j', (json) => {
    expect(refusal(() => strict.checkJson(json))).toBeUndefined();
  });

  it('passes whatever else JSON may hold, and never throws anything but a refusal', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        refusal(() => strict.checkJson(json));
        refusal(() => strict.checkJson({ tree: json, list: json, named: json }));
      }),
    );
  });

  it('passes where nesting goes deeper than the parser will follow', () => {
    let json: object = { mainColor: 'COLOR_BLUE' };
    for (let depth = 0; depth < 20_000; depth++) json = { tree: json };
    expect(refusal(() => strict.checkJson(json))).toBeUndefined();
  });
});

it('costs nothing where a message has no enum', () => {
  expect(compileStrictEnums(GetSSOConfigurationRequestSchema)).toBeUndefined();
  expect(compileStrictEnums(ListMembersRequestSchema)).toBeDefined();
});
