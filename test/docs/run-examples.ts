// Owns running examples as a reader would: shell blocks one after another in one bash, TypeScript blocks as one program.
// It refuses to know what the examples say.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

import { ROOT } from './read-examples.ts';

const run = promisify(execFile);

/** Stands between the outputs of two examples. */
const MARK = '\u0001';

/** The project's own Node and tools come first, as in an npm script. */
const PATH = `${join(ROOT, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}`;

/** The imports of a program that has the package, and the sources that stand for them here. */
const IMPORTS: readonly (readonly [specifier: RegExp, source: string])[] = [
  [/'claimgate\/client'/g, 'src/client/node.ts'],
  [/'claimgate\/client\/browser'/g, 'src/client/browser.ts'],
  [/'claimgate\/gen\/([\w/]+)'/g, 'gen/$1.ts'],
];

export interface Shell {
  /** Resolves to what the block wrote to standard output; rejects when it ends with an error. */
  readonly run: (code: string) => Promise<string>;
  readonly stop: () => Promise<void>;
}

export interface Finished {
  readonly stdout: string;
  readonly status: number;
}

/** Blocks share variables and functions; they run in the project's folder. */
export async function openShell(): Promise<Shell> {
  const folder = await mkdtemp(join(tmpdir(), 'claimgate-examples-'));
  const bash = spawn('bash', ['--noprofile', '--norc'], {
    cwd: ROOT,
    env: { PATH, HOME: folder },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let printed = '';
  let complaint = '';
  let wake = (): void => {};
  bash.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    printed += chunk;
    wake();
  });
  bash.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    complaint += chunk;
  });
  const closed = once(bash, 'close').then(() => wake());
  let count = 0;

  return {
    async run(code) {
      count += 1;
      const file = join(folder, `block-${count}.sh`);
      await writeFile(file, `${code}\n`);
      [printed, complaint] = ['', ''];
      bash.stdin.write(`source '${file}' </dev/null; printf '${MARK}%s${MARK}' $?\n`);
      for (;;) {
        const [stdout = '', status] = printed.split(MARK);
        if (status === '0' && printed.endsWith(MARK)) return stdout;
        if ((status !== undefined && printed.endsWith(MARK)) || bash.exitCode !== null) {
          throw new Error(`ended with ${status ?? bash.exitCode}: ${complaint}`);
        }
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        await promise;
      }
    },
    async stop() {
      bash.stdin.end();
      await closed;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Checks the types of the blocks as strictly as our own code, then runs them as one module. Resolves to what each of
 * them wrote to standard output.
 */
export async function runProgram(
  blocks: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'claimgate-examples-'));
  try {
    const program = blocks.join(`\nconsole.log('${MARK}');\n`);
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    // What a reader installs beside ours, such as jose.
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    await writeFile(join(folder, 'program.ts'), useSources(program));
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(createTsconfig()));
    await checkTypes(folder);
    const { stdout } = await run(process.execPath, [join(folder, 'program.ts')], {
      env: { PATH, NODE_NO_WARNINGS: '1', ...env },
      cwd: folder,
    });
    return stdout.split(`${MARK}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function useSources(program: string): string {
  return IMPORTS.reduce(
    (text, [specifier, source]) => text.replaceAll(specifier, `'${ROOT}${source}'`),
    program,
  );
}

function createTsconfig(): object {
  return {
    extends: `${ROOT}tsconfig.json`,
    compilerOptions: {
      typeRoots: [`${ROOT}node_modules/@types`],
      // An example may declare what a later one uses, or nobody.
      noUnusedLocals: false,
      // The sources are named by absolute paths.
      rewriteRelativeImportExtensions: false,
    },
    include: ['program.ts'],
  };
}

async function checkTypes(folder: string): Promise<void> {
  try {
    await run(join(ROOT, 'node_modules/.bin/tsc'), ['--noEmit', '-p', folder], { env: { PATH } });
  } catch (error) {
    const found = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
    throw new Error(`The TypeScript examples do not fit their types:\n${found}`, { cause: error });
  }
}
