/**
 * Owns the schema as something to hand over: an image for buf, and the proto files with all that they import, in
 * `dist-schema`. Another repository generates its client from either, without a registry and without the network.
 *
 *     npm run schema
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { writeValidateProto } from './write-validate-proto.ts';

const ROOT = join(import.meta.dirname, '..');

/** Writes both into the folder, which is made from nothing. */
export function writeSchema(folder: string): { readonly image: string; readonly tree: string } {
  const image = join(folder, 'claimgate.binpb');
  const tree = join(folder, 'proto');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeValidateProto(ROOT);
  const buf = createRequire(import.meta.url).resolve('@bufbuild/buf/bin/buf');
  for (const args of [
    ['build', '--output', image],
    ['export', '--output', tree],
  ]) {
    execFileSync(process.execPath, [buf, ...args], { cwd: ROOT, stdio: 'inherit' });
  }
  return { image, tree };
}

if (import.meta.main) {
  const { image, tree } = writeSchema(join(ROOT, 'dist-schema'));
  process.stdout.write(`Wrote ${image} and ${tree}.\n`);
}
