/** Owns `npm run demo`: its options, what it prints, and that it ends. What it runs is in `demo/start-demo.ts`. */
import { parseArgs } from 'node:util';

import { describeDemo } from './demo/describe-demo.ts';
import type { DemoOptions } from './demo/start-demo.ts';

const HELP = `Usage: npm run demo [-- <options>]

Runs Claimgate with an identity provider of its own, prepared so that you can sign in and be
refused, and prints what to click. It needs no set-up and reaches nothing outside this machine.

Options:
  --port <port>    where Claimgate listens (8080, or a free one when that is taken)
  --keep <folder>  puts the data into this new folder and leaves it there
  --help           prints this
`;

/** Those of a terminal: Ctrl-C, its window being closed, and what other programs end us by. */
const ENDINGS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

// Times in claims rules are told in UTC, and people are told theirs.
const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
process.env['TZ'] = 'UTC';

process.exitCode = await run(process.argv.slice(2));

/** Resolves to the process's exit code. */
async function run(args: readonly string[]): Promise<number> {
  let options: DemoOptions | 'help';
  try {
    options = readOptions(args);
  } catch (error) {
    process.stderr.write(`demo: ${describeError(error)}\n\n${HELP}`);
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  // From the start, so that no moment is without it. Again and again, because npm sends Ctrl-C a second time.
  const ending = new AbortController();
  const end = (): void => ending.abort();
  for (const signal of ENDINGS) process.on(signal, end);
  // Whoever reads what we print has gone, such as `head`.
  process.stdout.on('error', end);
  try {
    // The help is there faster without the server's modules.
    const { startDemo } = await import('./demo/start-demo.ts');
    const { describeLoginAttempt, followLoginAttempts } =
      await import('./demo/follow-login-attempts.ts');
    const demo = await startDemo(options);
    try {
      process.stdout.write(describeDemo(demo, { isKept: options.keep !== undefined }));
      await followLoginAttempts({
        client: demo.loginAttempts,
        organizationId: demo.organizationId,
        tell: (attempt) => process.stdout.write(`${describeLoginAttempt(attempt, timeZone)}\n`),
        tellError: (error) => process.stderr.write(`demo: ${describeError(error)}\n`),
        signal: ending.signal,
      });
    } finally {
      await demo.stop();
    }
    return 0;
  } catch (error) {
    process.stderr.write(`demo: ${describeError(error)}\n`);
    return 1;
  }
}

function readOptions(args: readonly string[]): DemoOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string' },
      keep: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) return 'help';
  const { port, keep } = values;
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) <= 65_535))
    throw new TypeError('--port must be a port number; 0 picks a free one.');
  if (keep === '') throw new TypeError('--keep must name a folder.');
  return { port: port === undefined ? undefined : Number(port), keep };
}

function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
