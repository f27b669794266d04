/**
 * Owns finding the file that declares something: by the file's name, by a symbol's, by an extension's number. It refuses
 * to know who asks (`reflection-service.ts`).
 */
import { toBinary } from '@bufbuild/protobuf';
import type {
  DescEnum,
  DescExtension,
  DescFile,
  DescMessage,
  DescService,
} from '@bufbuild/protobuf';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';

export interface SchemaIndex {
  readonly findFile: (name: string) => DescFile | undefined;
  /** By the full name of a message, field, oneof, enum, enum value, service, method or extension. */
  readonly findSymbol: (name: string) => DescFile | undefined;
  readonly findExtension: (type: string, number: number) => DescFile | undefined;
  /** Of a message type; undefined when there is no such type. */
  readonly listExtensions: (type: string) => readonly number[] | undefined;
  /** The file as a `google.protobuf.FileDescriptorProto`. */
  readonly serialize: (file: DescFile) => Uint8Array;
}

/** Indexes these files, and all that they import. */
export function createSchemaIndex(roots: readonly DescFile[]): SchemaIndex {
  const files = new Map<string, DescFile>();
  const symbols = new Map<string, DescFile>();
  const extensions = new Map<string, Map<number, DescFile>>();

  const addFile = (file: DescFile): void => {
    if (files.has(file.proto.name)) return;
    files.set(file.proto.name, file);
    for (const type of nestedTypes(file)) {
      for (const name of listNames(type)) symbols.set(name, file);
      if (type.kind === 'extension') {
        const known = extensions.get(type.extendee.typeName) ?? new Map<number, DescFile>();
        extensions.set(type.extendee.typeName, known.set(type.number, file));
      }
    }
    for (const imported of file.dependencies) addFile(imported);
  };
  for (const file of roots) addFile(file);

  const serialized = new Map<DescFile, Uint8Array>();
  return {
    findFile: (name) => files.get(name),
    findSymbol: (name) => symbols.get(name),
    findExtension: (type, number) => extensions.get(type)?.get(number),
    listExtensions: (type) =>
      symbols.has(type) ? [...(extensions.get(type)?.keys() ?? [])] : undefined,
    serialize(file) {
      const known = serialized.get(file) ?? toBinary(FileDescriptorProtoSchema, file.proto);
      serialized.set(file, known);
      return known;
    },
  };
}

function listNames(type: DescMessage | DescEnum | DescExtension | DescService): string[] {
  const { typeName } = type;
  if (type.kind === 'service') {
    return [typeName, ...type.methods.map(({ name }) => `${typeName}.${name}`)];
  }
  if (type.kind === 'message') {
    return [typeName, ...[...type.fields, ...type.oneofs].map(({ name }) => `${typeName}.${name}`)];
  }
  if (type.kind === 'enum') {
    // The values of an enum are named beside it, not in it.
    const scope = typeName.slice(0, -type.name.length);
    return [typeName, ...type.values.map(({ name }) => scope + name)];
  }
  return [typeName];
}
