/**
 * Owns the text of `buf/validate/validate.proto`: prints it, at generate time, from the descriptor
 * that `@bufbuild/protovalidate` exports, into an ignored folder that buf.yaml names as a module.
 *
 * The file is on no npm package, and a committed copy would drift from the library that evaluates
 * the rules. It refuses to be a general printer: it knows what that file uses and throws on the rest.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { getOption, hasOption } from '@bufbuild/protobuf';
import type { DescEnum, DescExtension, DescField, DescFile, DescMessage } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
} from '@bufbuild/protobuf/wkt';
import {
  file_buf_validate_validate,
  predefined,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';

/** Where buf.yaml looks for the module, from the project's root. */
const MODULE_FOLDER = join('.generate', 'validate');

/** The largest field number (inclusive), which proto text calls `max`. */
const MAX_FIELD_NUMBER = 536_870_911;

/** Writes the file into the module's folder below `root`, and returns its path. */
export function writeValidateProto(root: string): string {
  const path = join(root, MODULE_FOLDER, `${file_buf_validate_validate.name}.proto`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, printValidateProto(file_buf_validate_validate));
  return path;
}

/** Prints the rules file as proto source, which compiles to the same descriptor. */
export function printValidateProto(file: DescFile): string {
  const { proto } = file;
  if (proto.syntax !== '' && proto.syntax !== 'proto2') {
    throw new Error(`${file.name}.proto: can only print proto2, not ${proto.syntax}`);
  }
  if (file.services.length > 0) throw new Error(`${file.name}.proto: cannot print services`);
  return [
    '// Printed from the descriptor that @bufbuild/protovalidate exports. Do not edit, do not commit.',
    'syntax = "proto2";',
    `package ${proto.package};`,
    ...proto.dependency.map((path) => `import ${quote(path)};`),
    ...printFileOptions(file),
    ...file.extensions.map((extension) => printExtension(extension)),
    ...file.messages.map((message) => printMessage(message)),
    ...file.enums.map((desc) => printEnum(desc)),
    '',
  ].join('\n');
}

function printFileOptions({ proto: { options } }: DescFile): string[] {
  if (options === undefined) return [];
  return [
    `option java_package = ${quote(options.javaPackage)};`,
    `option java_outer_classname = ${quote(options.javaOuterClassname)};`,
    `option java_multiple_files = ${options.javaMultipleFiles};`,
    `option go_package = ${quote(options.goPackage)};`,
  ];
}

function printExtension({ proto }: DescExtension): string {
  return `extend ${proto.extendee} {\n${printDeclaration(proto)};\n}`;
}

function printMessage({
  proto,
  fields,
  nestedMessages,
  nestedEnums,
  nestedExtensions,
}: DescMessage): string {
  if (
    nestedMessages.length + nestedEnums.length + nestedExtensions.length > 0 ||
    proto.options !== undefined
  ) {
    throw new Error(`${proto.name}: cannot print what is nested in messages, nor their options`);
  }
  const body = [...printReserved(proto, -1)];
  for (const { start, end } of proto.extensionRange)
    body.push(`extensions ${printRange(start, end - 1)};`);
  // Declaration order decides how a descriptor lists fields, and the members of a oneof stand together in it.
  let open: string | undefined;
  for (const field of fields) {
    const oneof = field.oneof?.name;
    if (open !== undefined && open !== oneof) body.push('}');
    if (oneof !== undefined && open !== oneof) {
      body.push(`oneof ${oneof} {`);
    }
    open = oneof;
    body.push(`${printDeclaration(field.proto, oneof !== undefined)}${printFieldOptions(field)};`);
  }
  if (open !== undefined) body.push('}');
  return `message ${proto.name} {\n${body.join('\n')}\n}`;
}

function printEnum({ proto }: DescEnum): string {
  const values = proto.value.map(({ name, number }) => `${name} = ${number};`);
  return `enum ${proto.name} {\n${[...printReserved(proto, 0), ...values].join('\n')}\n}`;
}

/** Ends of reserved ranges are exclusive in messages and inclusive in enums (descriptor.proto). */
function printReserved(proto: DescriptorProto | EnumDescriptorProto, correction: -1 | 0): string[] {
  return [
    ...proto.reservedRange.map(
      ({ start, end }) => `reserved ${printRange(start, end + correction)};`,
    ),
    ...proto.reservedName.map((name) => `reserved ${quote(name)};`),
  ];
}

function printRange(first: number, last: number): string {
  if (first === last) return String(first);
  return `${first} to ${last === MAX_FIELD_NUMBER ? 'max' : last}`;
}

function printDeclaration(proto: FieldDescriptorProto, inOneof = false): string {
  const label = inOneof ? '' : `${FieldDescriptorProto_Label[proto.label].toLowerCase()} `;
  return `${label}${printType(proto)} ${proto.name} = ${proto.number}`;
}

function printType({ name, type, typeName }: FieldDescriptorProto): string {
  if (type === FieldDescriptorProto_Type.GROUP) throw new Error(`${name}: cannot print groups`);
  return typeName === '' ? FieldDescriptorProto_Type[type].toLowerCase() : typeName;
}

/** The rules of the rule fields themselves: CEL expressions that say what a rule means. */
function printFieldOptions(field: DescField): string {
  if (!hasOption(field, predefined)) return '';
  const rules = getOption(field, predefined).cel.map(({ id, message, expression }) => {
    const parts = Object.entries({ id, message, expression }).filter(([, text]) => text !== '');
    return `(predefined).cel = {${parts.map(([name, text]) => `${name}: ${quote(text)}`).join(' ')}}`;
  });
  return ` [${rules.join(', ')}]`;
}

/** JSON's escapes are a part of those of proto text, as long as nothing leaves ASCII. */
function quote(text: string): string {
  // oxlint-disable-next-line no-control-regex
  if (!/^[\n\t\x20-\x7e]*$/u.test(text)) throw new Error(`cannot print ${JSON.stringify(text)}`);
  return JSON.stringify(text);
}

if (import.meta.main) writeValidateProto(join(import.meta.dirname, '..'));
