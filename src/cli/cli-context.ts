/** Owns what commands know of the process: its environment and streams, and the one reader of standard input. */
import { readFile } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';

import { UsageError } from './cli-errors.ts';

export interface CliStreams {
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable;
  readonly stderr: Writable;
}

export interface CliContext extends CliStreams {
  /**
   * Reads a file, or standard input for `-`, without the line break at its end. `what` names it in errors, which never
   * hold what was read. Standard input can be read once.
   */
  readonly readInput: (file: string, what: string) => Promise<string>;
}

export function createCliContext(streams: CliStreams): CliContext {
  let stdinHolds: string | undefined;

  async function readStdin(what: string): Promise<string> {
    if (stdinHolds !== undefined) {
      throw new UsageError(`Standard input cannot hold both the ${stdinHolds} and the ${what}.`);
    }
    stdinHolds = what;
    if (streams.stdin.isTTY === true) {
      streams.stderr.write(`Reading the ${what} from the terminal; end it with Ctrl-D.\n`);
    }
    return text(streams.stdin);
  }

  return {
    ...streams,
    readInput: async (file, what) => {
      const content = file === '-' ? await readStdin(what) : await readNamedFile(file, what);
      const value = content.replace(/\r?\n$/, '');
      if (value !== '') return value;
      const source = file === '-' ? 'Standard input' : `The file ${file}`;
      throw new UsageError(`${source} is empty; it should hold the ${what}.`);
    },
  };
}

async function readNamedFile(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`Cannot read the ${what} from a file: ${reason}.`, { cause });
  }
}
