/**
 * Owns how commands reach the store itself, as `serve` does: by the server's environment, without a server. The modules
 * are loaded when such a command runs, so that the client's commands start as fast without them.
 */
import type * as OperationsModule from '../operate.ts';
import type { CliContext } from './cli-context.ts';
import { CommandFailure } from './cli-errors.ts';
import { REFUSED } from './exit-codes.ts';
import { makePrintable } from './format-value.ts';
import type { PrintOptions } from './print.ts';
import { write } from './print.ts';

type Operations = typeof OperationsModule;

const EXIT_CODES = { usage: 2, refused: REFUSED, failed: 1 } as const;

export const STORE_HELP = `
It works on the store itself, not through a server: run it where the server runs, as the same user
and with the same CLAIMGATE_* variables (claimgate serve --help lists them).`;

export async function runOperation<Result>(
  run: (operations: Operations) => Promise<Result>,
): Promise<Result> {
  const operations = await import('../operate.ts');
  try {
    return await run(operations);
  } catch (error) {
    const failure = operations.explainOperationFailure(error);
    if (failure === undefined) throw error;
    throw new CommandFailure(EXIT_CODES[failure.kind], failure.message);
  }
}

/** The result as JSON, or as lines for people. */
export async function printResult(
  context: CliContext,
  options: PrintOptions,
  result: object,
  lines: readonly string[],
): Promise<void> {
  const text =
    options.json === true
      ? JSON.stringify(result, null, 2)
      : lines.map((line) => makePrintable(line)).join('\n');
  return write(context, `${text}\n`);
}
