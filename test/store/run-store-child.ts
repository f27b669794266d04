/** Owns the starting and ending of `store-child.ts`. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('store-child.ts', import.meta.url));

export interface StoreChild {
  readonly process: ChildProcess;
  /** All that it has said so far. The last line of a process that was killed may be missing, none is cut. */
  readonly lines: readonly string[];
  /** Resolves when it has ended and all that it said has been read. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

export function startStoreChild(
  what: string,
  file: string,
  onLine?: (count: number) => void,
): StoreChild {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', SCRIPT, what, file],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => {
    const count = lines.push(line);
    onLine?.(count);
  });
  const exited = once(child, 'exit');
  const read = once(reader, 'close');
  const ended = (async () => {
    const [code, signal] = (await exited) as [number | null, string | null];
    await read;
    return { code, signal };
  })();
  return { process: child, lines, ended };
}
