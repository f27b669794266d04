/** Owns what is published: JavaScript and type declarations in `dist`, made from nothing each time. */
import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
execFileSync('tsc', ['--project', 'tsconfig.build.json'], { stdio: 'inherit' });
chmodSync('dist/src/cli/claimgate.js', 0o755);
