/**
 * Owns the code of gRPC's own services, health and reflection, and of Google's messages for the details of errors: generates
 * it into `gen` from the proto files that npm packages of the gRPC project and of Google carry, so that no copy of them is
 * kept here. It refuses to touch what `buf generate` writes from
 * our schema, and runs after it, since that empties `gen`.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
/** Ignored by Git. A workspace of its own, which our rules for schemas do not reach. */
const folder = join(root, '.generate', 'grpc');

/** By the name under which other schemas, and reflection, know the file. */
const sources = {
  'google/rpc/error_details.proto': 'google-gax/build/protos/google/rpc/error_details.proto',
  'grpc/health/v1/health.proto': 'grpc-health-check/proto/health/v1/health.proto',
  'grpc/reflection/v1/reflection.proto':
    '@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto',
  'grpc/reflection/v1alpha/reflection.proto':
    '@grpc/reflection/build/proto/grpc/reflection/v1alpha/reflection.proto',
};

for (const [name, source] of Object.entries(sources)) {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  cpSync(join(root, 'node_modules', source), path);
}
writeFileSync(join(folder, 'buf.yaml'), 'version: v2\n');

const template = {
  version: 'v2',
  plugins: [
    {
      local: 'protoc-gen-es',
      out: join(root, 'gen'),
      opt: ['target=ts', 'import_extension=ts', 'erasable_syntax=true'],
    },
  ],
};
const { status } = spawnSync('buf', ['generate', folder, '--template', JSON.stringify(template)], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
