/**
 * Owns the form in which the contract is stated as facts, and says what descriptors are in that form.
 * It knows nothing of any particular contract.
 */
import { getOption, hasOption, ScalarType, toJson } from '@bufbuild/protobuf';
import type { JsonValue } from '@bufbuild/protobuf';
import type { DescEnum, DescField, DescFile, DescMessage, DescService } from '@bufbuild/protobuf';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import {
  field as fieldRules,
  FieldRulesSchema,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';

export interface FieldFacts {
  readonly number: number;
  readonly name: string;
  readonly jsonName: string;
  /** A scalar's name, a full type name, or `map<key,value>`. */
  readonly type: string;
  readonly repeated?: boolean;
  /** Tracks presence by the label `optional`. */
  readonly optional?: boolean;
  /** `buf.validate.field`, as ProtoJSON. */
  readonly rules?: JsonValue;
}

export interface MessageFacts {
  readonly file: string;
  readonly fields: readonly FieldFacts[];
}

export interface EnumFacts {
  readonly file: string;
  readonly values: Readonly<Record<string, number>>;
}

export interface MethodFacts {
  readonly input: string;
  readonly output: string;
  readonly idempotency: string;
  /** Present on what is not unary. */
  readonly streaming?: string;
}

export interface ServiceFacts {
  readonly file: string;
  readonly methods: Readonly<Record<string, MethodFacts>>;
}

export interface ContractFacts {
  readonly syntax: string;
  readonly package: string;
  readonly services: Readonly<Record<string, ServiceFacts>>;
  readonly messages: Readonly<Record<string, MessageFacts>>;
  readonly enums: Readonly<Record<string, EnumFacts>>;
}

/** States what the files hold; all of them must share one syntax and one package. */
export function describeContract(files: readonly DescFile[]): ContractFacts {
  const types = files.flatMap((file) => [...nestedTypes(file)]);
  return {
    syntax: findOnly(files.map(({ proto }) => proto.syntax)),
    package: findOnly(files.map(({ proto }) => proto.package)),
    services: nameAll(types.filter((type) => type.kind === 'service').map(describeService)),
    messages: nameAll(types.filter((type) => type.kind === 'message').map(describeMessage)),
    enums: nameAll(types.filter((type) => type.kind === 'enum').map(describeEnum)),
  };
}

function describeService({ typeName, file, methods }: DescService): [string, ServiceFacts] {
  const facts = methods.map((method): [string, MethodFacts] => [
    method.name,
    {
      input: method.input.typeName,
      output: method.output.typeName,
      idempotency: MethodOptions_IdempotencyLevel[method.idempotency],
      ...(method.methodKind === 'unary' ? {} : { streaming: method.methodKind }),
    },
  ]);
  return [typeName, { file: `${file.name}.proto`, methods: nameAll(facts) }];
}

function describeMessage({ typeName, file, fields }: DescMessage): [string, MessageFacts] {
  return [typeName, { file: `${file.name}.proto`, fields: fields.map(describeField) }];
}

function describeField(field: DescField): FieldFacts {
  if (field.oneof !== undefined)
    throw new Error(`${field.toString()}: the facts have no form for oneofs`);
  return {
    number: field.number,
    name: field.name,
    jsonName: field.jsonName,
    ...(field.fieldKind === 'list' ? { repeated: true } : {}),
    type: nameType(field),
    ...(field.proto.proto3Optional ? { optional: true } : {}),
    ...(hasOption(field, fieldRules)
      ? { rules: toJson(FieldRulesSchema, getOption(field, fieldRules)) }
      : {}),
  };
}

function nameType(field: DescField): string {
  if (field.fieldKind === 'map') {
    const value = field.message?.typeName ?? field.enum?.typeName ?? nameScalar(field.scalar);
    return `map<${nameScalar(field.mapKey)},${value}>`;
  }
  return field.message?.typeName ?? field.enum?.typeName ?? nameScalar(field.scalar);
}

function nameScalar(scalar: ScalarType | undefined): string {
  if (scalar === undefined)
    throw new Error('a field that is neither message nor enum must be a scalar');
  return ScalarType[scalar].toLowerCase();
}

function describeEnum({ typeName, file, values }: DescEnum): [string, EnumFacts] {
  const facts = values.map(({ name, number }): [string, number] => [name, number]);
  return [typeName, { file: `${file.name}.proto`, values: nameAll(facts) }];
}

/** Like Object.fromEntries, but two of one name are an error. */
function nameAll<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  const named = Object.fromEntries(entries);
  if (Object.keys(named).length !== entries.length) throw new Error('two of one name');
  return named;
}

function findOnly(values: readonly string[]): string {
  const [first, ...others] = new Set(values);
  if (first === undefined || others.length > 0) throw new Error(`not one but ${values.join(', ')}`);
  return first;
}
