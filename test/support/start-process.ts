// Owns the server as a process of its own, as `npm start` runs it, for tests that end it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const SCRIPT = join(import.meta.dirname, '..', '..', 'src', 'cli', 'claimgate.ts');

export interface StartedProcess {
  /** Such as `http://127.0.0.1:49152`. */
  readonly url: string;
  readonly pid: number;
  /** What it has written on standard error so far. */
  readonly readLog: () => string;
  /** Sends the signal, and resolves when the process has ended. */
  readonly end: (signal: 'SIGKILL' | 'SIGTERM') => Promise<EndedProcess>;
}

export interface EndedProcess {
  /** `null` when a signal ended it. */
  readonly exitCode: number | null;
  /** What it wrote on standard error. */
  readonly log: string;
  /** From the signal to the end, in milliseconds. */
  readonly tookMs: number;
}

/** Starts it on a free port. @param environment variables besides `CLAIMGATE_PORT`; nothing else is inherited. */
export async function startProcess(environment: Record<string, string>): Promise<StartedProcess> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', SCRIPT, 'serve'],
    {
      env: { CLAIMGATE_PORT: '0', CLAIMGATE_LOG_LEVEL: 'warn', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const ended = once(child, 'close');
  const url = await new Promise<string>((resolve, reject) => {
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const [, found] = /listens at (\S+)\n/.exec(output) ?? [];
      if (found !== undefined) resolve(found);
    });
    child.once('error', reject);
    child.once('close', () => reject(new Error(`the server ended: ${log}`)));
  });
  return {
    url,
    pid: child.pid ?? 0,
    readLog: () => log,
    async end(signal) {
      const startedAt = performance.now();
      child.kill(signal);
      await ended;
      return { exitCode: child.exitCode, log, tookMs: performance.now() - startedAt };
    },
  };
}
