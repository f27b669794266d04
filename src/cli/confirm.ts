/** Owns the question before what cannot be undone. */
import { createInterface } from 'node:readline/promises';

import type { Command } from 'commander';

import type { CliContext } from './cli-context.ts';
import { CommandFailure, UsageError } from './cli-errors.ts';

export interface ConfirmOptions {
  readonly yes?: boolean;
}

export function addConfirmOption(command: Command): Command {
  return command.option('--yes', 'do it without asking; needed where no terminal can be asked');
}

/** Returns once the answer is yes; throws otherwise. */
export async function confirm(
  context: CliContext,
  options: ConfirmOptions,
  question: string,
): Promise<void> {
  if (options.yes === true) return;
  if (context.stdin.isTTY !== true) {
    throw new UsageError(
      'This cannot be undone, and there is no terminal to ask. Add --yes to do it.',
    );
  }
  const terminal = createInterface({ input: context.stdin, output: context.stderr });
  try {
    // At the end of the input nobody answers: that is a no.
    const closed = new AbortController();
    terminal.once('close', () => closed.abort());
    const answer = await terminal
      .question(`${question} This cannot be undone. [y/N] `, { signal: closed.signal })
      .catch(() => '');
    if (/^y(?:es)?$/i.test(answer.trim())) return;
  } finally {
    terminal.close();
  }
  throw new CommandFailure(1, 'Nothing was done.');
}
