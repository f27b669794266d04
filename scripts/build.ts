/** Owns what is published: JavaScript, type declarations and the schema in `dist`, made from nothing each time. */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { writeValidateProto } from './write-validate-proto.ts';

rmSync('dist', { recursive: true, force: true });
const { status } = spawnSync('tsc', ['--project', 'tsconfig.build.json'], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
chmodSync('dist/src/cli/claimgate.js', 0o755);

// With the file that all of them import, so that who has the package needs no registry to generate a client.
cpSync('proto', join('dist', 'proto'), { recursive: true });
const rules = join('dist', 'proto', 'buf', 'validate', 'validate.proto');
mkdirSync(dirname(rules), { recursive: true });
copyFileSync(writeValidateProto('.'), rules);
