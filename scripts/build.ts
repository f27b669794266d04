/** Owns what is published: the program, the client with its types, and the schema, in `dist`, made anew each time. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { bundleProgram } from './bundle-program.ts';
import { writeValidateProto } from './write-validate-proto.ts';

rmSync('dist', { recursive: true, force: true });
// What others import stays one file for each of ours, so that their bundlers can leave out what they do not use.
const { status } = spawnSync('tsc', ['--project', 'tsconfig.build.json'], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
await bundleProgram('dist');

cpSync('gen/openapi.json', 'dist/gen/openapi.json');
cpSync('gen/docs', 'dist/gen/docs', { recursive: true });

// With the file that all of them import, so that who has the package needs no registry to generate a client.
cpSync('proto', join('dist', 'proto'), { recursive: true });
const rules = join('dist', 'proto', 'buf', 'validate', 'validate.proto');
mkdirSync(dirname(rules), { recursive: true });
copyFileSync(writeValidateProto('.'), rules);
