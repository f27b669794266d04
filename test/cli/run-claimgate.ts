/** Owns running the real command line as a child process, with nothing of our own environment. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { runCli } from '../../src/cli/run-cli.ts';

/** Where other tools keep what makes the next run faster; it halves the start of each child. */
const COMPILE_CACHE = fileURLToPath(
  new URL('../../node_modules/.cache/claimgate-cli', import.meta.url),
);
const ENTRY = fileURLToPath(new URL('../../src/cli/claimgate.ts', import.meta.url));

export interface Finished {
  readonly exitCode: number | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** What standard input holds; it is no terminal. */
  readonly stdin?: string;
  readonly cwd?: string;
}

export function spawnClaimgate(args: readonly string[], options: RunOptions = {}) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ENTRY, ...args], {
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...options.env },
    cwd: options.cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // A command that does not read its input closes the pipe.
  child.stdin.on('error', () => {});
  child.stdin.end(options.stdin ?? '');
  return child;
}

export async function runClaimgate(
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const child = spawnClaimgate(args, options);
  const exited = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  await exited;
  return { exitCode: child.exitCode, stdout, stderr };
}

/** The same without a child process, for what does not depend on one. */
export async function runInProcess(
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end(options.stdin ?? '');
  const exitCode = await runCli(args, { env: { ...options.env }, stdin, stdout, stderr });
  stdout.end();
  stderr.end();
  return { exitCode, stdout: await text(stdout), stderr: await text(stderr) };
}
