/**
 * Owns getting programs that are written in Go, pinned, through Go's module proxy, and running what is here. It refuses to
 * know what they are for.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';

export const root = join(import.meta.dirname, '..');
/** Ignored by Git; what is in it can be deleted. */
export const folder = join(root, '.generate', 'conformance');
mkdirSync(folder, { recursive: true });

export const env = {
  ...process.env,
  PATH: [join(root, 'node_modules', '.bin'), process.env['PATH']].join(delimiter),
  GOWORK: 'off',
};

/** Builds it, unless this version is here already; returns its path. Without Go, the process fails. */
export function installGoTool(tool: string, version: string): string {
  const bin = join(folder, 'bin', version);
  const path = join(bin, basename(tool));
  if (existsSync(path)) return path;
  if (run('go', ['version'], 'quiet') === undefined) {
    fail(`${tool} is built with Go (1.26 or later), and there is no \`go\` here.`);
  }
  print(`Building ${tool}@${version}, which takes minutes the first time …`);
  const { status } = spawnSync('go', ['install', `${tool}@${version}`], {
    env: { ...env, GOBIN: bin },
    stdio: 'inherit',
  });
  if (status !== 0) fail(`${tool}@${version} could not be built.`);
  return path;
}

/** The standard output, or undefined when it could not be run or failed. */
export function run(
  command: string,
  args: readonly string[],
  errors?: 'quiet',
): string | undefined {
  const { status, stdout } = spawnSync(command, args, {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', errors === 'quiet' ? 'ignore' : 'inherit'],
  });
  return status === 0 ? stdout.toString() : undefined;
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function fail(reason: string): never {
  process.stderr.write(`test:conformance: ${reason}\n`);
  process.exit(1);
}
