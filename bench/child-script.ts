/** Owns how one script of ours is run in a process of its own, and how what it prints is read. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';

import type { Cores, Machine } from './machine.ts';
import { startChild } from './scratch.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

export interface ScriptOptions {
  readonly cores: Cores;
  readonly env?: Readonly<Record<string, string>>;
  readonly ipc?: boolean;
}

/** Starts `node <script> …`, the script's path being relative to the project. */
export function startScript(
  machine: Machine,
  [script = '', ...args]: readonly string[],
  { cores, env = {}, ipc = false }: ScriptOptions,
): ChildProcess {
  const command = [
    ...machine.place(cores),
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    script,
    ...args,
  ];
  return startChild(command, {
    cwd: ROOT,
    env: { ...withoutOurs(process.env), ...env },
    stdio: ['ignore', 'pipe', 'inherit', ...(ipc ? (['ipc'] as const) : [])],
  });
}

/** Runs a script to its end, and reads the JSON that it prints. */
export async function runScript<Output>(
  machine: Machine,
  command: readonly string[],
  options: ScriptOptions & { readonly output: z.ZodType<Output> },
): Promise<Output> {
  const child = startScript(machine, command, options);
  const exited = once(child, 'exit');
  const output = child.stdout === null ? '' : await text(child.stdout);
  await exited;
  if (child.exitCode !== 0) throw new Error(`${command[0]} ended with ${child.exitCode}`);
  return options.output.parse(JSON.parse(output));
}

/** Resolves to what the child has printed when the pattern is in it. */
export async function waitForOutput(
  child: ChildProcess,
  pattern: RegExp,
): Promise<RegExpExecArray> {
  const { stdout } = child;
  if (stdout === null) throw new Error('The child prints to nobody');
  let output = '';
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`The child ended with ${code}: ${output}`)));
    stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      const found = pattern.exec(output);
      if (found !== null) resolve(found);
    });
  });
}

/** The operator's own settings are for no server of the benchmark. */
function withoutOurs(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('CLAIMGATE_')));
}
