#!/usr/bin/env node
/** The program's entry: gives a run the process's streams and environment, and the process the run's exit code. */
// Whole, because older versions lack a part of it: they shall get as far as the sentence below.
import nodeModule from 'node:module';
import { join } from 'node:path';
import process from 'node:process';

const [major] = process.versions.node.split('.');
if (Number(major) < 24) {
  const found = `${process.execPath} is ${process.versions.node}`;
  process.stderr.write(`claimgate: This needs Node.js 24 or newer, and ${found}.\n`);
  process.exit(1);
}

// Most of a start is reading code: what was compiled once is kept beside it. Where that folder cannot be written, each
// start compiles anew. In the temporary folder, anybody could leave code for us.
nodeModule.enableCompileCache(join(import.meta.dirname, '..', '..', '.cache', 'compile'));

// Only now, so that all that follows profits.
const { runCli } = await import('./run-cli.ts');

// A reader that has seen enough, such as `head`, closes the pipe: no reason to complain.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});
process.stderr.on('error', () => {});

const { env, stdin, stdout, stderr } = process;
process.exitCode = await runCli(process.argv.slice(2), { env, stdin, stdout, stderr });
