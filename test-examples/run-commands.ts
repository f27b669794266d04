/** Owns running the commands that a document shows, as its reader does: in bash, in the project's folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { delimiter, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

export const ROOT = join(import.meta.dirname, '..');

/** The project's own tools come first, as in an npm script. */
const PATH = [join(ROOT, 'node_modules', '.bin'), process.env['PATH']].join(delimiter);

/** Resolves to the standard output; rejects with all that was said where a command fails. */
export async function runCommands(
  commands: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', commands], {
    cwd: ROOT,
    env: { ...process.env, PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  await ended;
  if (child.exitCode !== 0)
    throw new Error(`${commands}\nended with ${child.exitCode}:\n${stdout}${stderr}`);
  // Maven sets the colors of a terminal back, even where there is none.
  return stripVTControlCharacters(stdout);
}
