/** Owns the benchmark as a program: which measurements run, and where the report goes. */
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import { bundle } from './bundle.ts';
import type { BenchContext, Measurement } from './bench-context.ts';
import { login } from './login.ts';
import { describeMachine, prepareMachine } from './machine.ts';
import { memory } from './memory.ts';
import { migrate } from './migrate.ts';
import { observing } from './observing.ts';
import { discovery } from './postgres-scale.ts';
import { postgres } from './postgres.ts';
import { preview } from './preview.ts';
import { writeReport } from './report.ts';
import type { Section } from './report.ts';
import { verdict } from './row-measurements.ts';
import { retention } from './retention.ts';
import { scale } from './scale.ts';
import { serving } from './serving.ts';
import { start } from './start.ts';
import { writes } from './writes.ts';

/** What takes minutes comes last. */
const MEASUREMENTS: readonly Measurement[] = [
  serving,
  start,
  memory,
  writes,
  login,
  verdict,
  preview,
  bundle,
  observing,
  postgres,
  retention,
  scale,
  discovery,
  migrate,
];
const REPORT = 'docs/performance.md';

const HELP = `Usage: npm run bench -- [options]

Measures Claimgate on this machine, beside other servers in the same run, and prints a report as Markdown.
A whole run takes some 40 minutes and also writes ${REPORT}. Progress goes to standard error.

Options:
  --only <names>   these alone, comma-separated; the report is printed only
  --quick          short rounds and small tables, to see that it works; the report is printed only
  --folder <path>  where databases are made, ${tmpdir()} unless given: a disk, not memory, for syncing to count
  --output <path>  writes the report there, whatever was measured
  --help           shows this

Measurements:
${MEASUREMENTS.map(({ name, summary }) => `  ${name.padEnd(15)}  ${summary}`).join('\n')}
`;

interface Choice {
  readonly measurements: readonly Measurement[];
  readonly quick: boolean;
  readonly folder: string;
  /** Standard output has the report in any case. */
  readonly output: string | undefined;
}

process.exitCode = await main();

async function main(): Promise<number> {
  const choice = readChoice();
  if (typeof choice === 'string') {
    process.stderr.write(`bench: ${choice}\n`);
    return 2;
  }
  if (choice === undefined) {
    process.stdout.write(HELP);
    return 0;
  }
  const startedAt = new Date();
  const machine = prepareMachine();
  const { quick, folder, measurements, output } = choice;
  const introduction = writeIntroduction(startedAt, quick, describeMachine(machine, folder));
  const context: BenchContext = { machine, quick, folder, note: createNote(startedAt) };
  const sections: Section[] = [];
  for (const [index, measurement] of measurements.entries()) {
    context.note(measurement.name);
    sections.push(await measurement.run(context));
    // What has been measured is kept, whatever becomes of the rest.
    if (output !== undefined)
      await keepReport(output, introduction, sections, measurements.slice(index + 1));
  }
  process.stdout.write(writeReport(introduction, sections));
  context.note('done');
  return 0;
}

async function keepReport(
  file: string,
  introduction: string,
  sections: readonly Section[],
  missing: readonly Measurement[],
): Promise<void> {
  const names = missing.map(({ name }) => name).join(', ');
  const note =
    names === '' ? '' : `\n\n**The run did not come to its end.** Not measured: ${names}.`;
  await writeFile(file, writeReport(introduction + note, sections));
  // What is kept is formatted like everything else here; npm puts the formatter on the path.
  spawnSync('oxfmt', [file], { stdio: 'ignore' });
}

/** What is to be done; a text tells what is wrong with what was asked for, `undefined` asks for help. */
function readChoice(): Choice | string | undefined {
  const options = {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    folder: { type: 'string', default: tmpdir() },
    output: { type: 'string' },
    help: { type: 'boolean', default: false },
  } as const;
  try {
    const { only, quick, folder, output, help } = parseArgs({ options }).values;
    if (help) return undefined;
    const names = only?.split(',');
    const unknown = names?.filter((name) => !MEASUREMENTS.some((one) => one.name === name)) ?? [];
    if (unknown.length > 0) return `there is no measurement "${unknown.join('", "')}": see --help`;
    const isWhole = names === undefined && !quick;
    return {
      measurements: MEASUREMENTS.filter(({ name }) => names === undefined || names.includes(name)),
      quick,
      folder,
      output: output ?? (isWhole ? REPORT : undefined),
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function writeIntroduction(startedAt: Date, quick: boolean, machine: string): string {
  const date = startedAt.toISOString().slice(0, 10);
  const kind = quick ? '**A quick run: to see that it works, not to cite.**\n\n' : '';
  return `${kind}Written by \`npm run bench\` on ${date}, in one run on one machine:

${machine}

Figures depend on the machine; ratios within one run travel better, so they come first. A target that was missed says
by how much.`;
}

function createNote(startedAt: Date): BenchContext['note'] {
  return (text) => {
    const seconds = ((Date.now() - startedAt.getTime()) / 1000).toFixed(0).padStart(4);
    process.stderr.write(`${seconds} s  ${text}\n`);
  };
}
