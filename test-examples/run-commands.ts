/** Owns running the commands that a document shows, as its reader does: in bash, in the project's folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { delimiter, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

export const ROOT = join(import.meta.dirname, '..');

/** The project's own tools come first, as in an npm script. */
const PATH = [join(ROOT, 'node_modules', '.bin'), process.env['PATH']].join(delimiter);

/** Cold caches on a busy machine included. */
const PATIENCE_MS = 15 * 60 * 1000;

/** Resolves to the standard output; rejects with all that was said where a command fails. */
export async function runCommands(
  commands: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', commands], {
    cwd: ROOT,
    env: { ...process.env, PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // In a group of its own, so that what it starts ends with it.
    detached: true,
  });
  const kill = () => {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  process.once('exit', kill);
  const timer = setTimeout(kill, PATIENCE_MS);
  const ended = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  await ended;
  clearTimeout(timer);
  process.removeListener('exit', kill);
  if (child.exitCode !== 0) {
    const end = child.exitCode ?? `${child.signalCode} after ${PATIENCE_MS / 60_000} minutes`;
    throw new Error(`${commands}\nended with ${end}:\n${stdout}${stderr}`);
  }
  // Maven sets the colors of a terminal back, even where there is none.
  return stripVTControlCharacters(stdout);
}
