/**
 * Owns what follows an installation: the console is built. Where only what runs was installed (`npm ci --omit=dev`),
 * there is nothing to build it with; then the server goes without it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const vite = join(import.meta.dirname, '..', 'node_modules', 'vite', 'bin', 'vite.js');
if (existsSync(vite)) {
  const { status } = spawnSync(process.execPath, [vite, 'build', '--logLevel', 'info'], {
    cwd: join(import.meta.dirname, '..'),
    stdio: 'inherit',
  });
  process.exit(status ?? 1);
} else {
  process.stdout.write('Vite is not installed, so the console is not built.\n');
}
