/** Compiles the printed rules file with buf and compares the outcome with the descriptor it was printed from. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { clone, createRegistry, fromBinary, toJson } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { file_buf_validate_validate } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { afterAll, expect, it } from 'vitest';
import { writeValidateProto } from '../../scripts/write-validate-proto.ts';

const folder = mkdtempSync(join(tmpdir(), 'claimgate-validate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('prints a rules file that compiles to the descriptor it was printed from', () => {
  const path = writeValidateProto(folder);
  expect(describeFile(compile(dirname(dirname(dirname(path)))))).toEqual(
    describeFile(file_buf_validate_validate.proto),
  );
});

function compile(module: string): FileDescriptorProto {
  const buf = createRequire(import.meta.url).resolve('@bufbuild/buf/bin/buf');
  const image = join(folder, 'image.binpb');
  execFileSync(process.execPath, [buf, 'build', module, '--as-file-descriptor-set', '-o', image]);
  const { file } = fromBinary(FileDescriptorSetSchema, readFileSync(image));
  const compiled = file.find(({ name }) => name === 'buf/validate/validate.proto');
  if (compiled === undefined) throw new Error('buf compiled another file');
  return compiled;
}

/** Everything but positions in the source and the JSON names, which both sides derive from the fields' names. */
function describeFile(proto: FileDescriptorProto): unknown {
  const copy = clone(FileDescriptorProtoSchema, proto);
  delete copy.sourceCodeInfo;
  const registry = createRegistry(file_buf_validate_validate);
  const json = toJson(FileDescriptorProtoSchema, copy, { registry });
  return JSON.parse(
    JSON.stringify(json, (key, value: unknown) => (key === 'jsonName' ? undefined : value)),
  );
}
