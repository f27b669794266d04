// The schema as it is handed over: whoever has it, in an empty folder and without network, generates a client from it.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeSchema } from '../../scripts/write-schema.ts';

const bin = join(import.meta.dirname, '..', '..', 'node_modules', '.bin');
const folder = mkdtempSync(join(tmpdir(), 'claimgate-schema-'));
let schema: ReturnType<typeof writeSchema>;

beforeAll(() => {
  schema = writeSchema(join(folder, 'schema'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('has all that the proto files import', () => {
  expect(readdirSync(schema.tree).toSorted()).toEqual(['buf', 'claimgate', 'gitpod']);
});

it.for(['image', 'tree'] as const)('its %s is enough to generate from', (form) => {
  const elsewhere = join(folder, form);
  mkdirSync(elsewhere);
  const plugins = [{ local: 'protoc-gen-es', out: 'gen', opt: ['target=ts'] }];
  writeFileSync(join(elsewhere, 'buf.gen.yaml'), JSON.stringify({ version: 'v2', plugins }));
  const buf = createRequire(import.meta.url).resolve('@bufbuild/buf/bin/buf');
  const { status, stderr } = spawnSync(process.execPath, [buf, 'generate', schema[form]], {
    cwd: elsewhere,
    encoding: 'utf8',
    env: {
      PATH: `${bin}:${process.env['PATH'] ?? ''}`,
      HOME: elsewhere,
      // Whoever asks a registry asks here, where nobody is.
      HTTPS_PROXY: 'http://127.0.0.1:1',
    },
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  for (const name of ['gitpod/v1/organization_pb.ts', 'claimgate/v1/member_pb.ts']) {
    expect(existsSync(join(elsewhere, 'gen', name))).toBe(true);
  }
});
