/**
 * Owns the program as it is published: a few files with all that they need, in place of two thousand. Finding and
 * reading those was half of a start, and a third of the memory. What only some runs need stays in files of its own, which
 * are read when they are.
 */
import { chmodSync, readFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import type { OutputChunk } from 'rolldown';

/** As deep as the sources, which find the console and package.json from where they are. */
const FOLDER = join('src', 'cli');

/** Writes the program and the notices of what is in it to `<outDir>`; returns the file to run. */
export async function bundleProgram(outDir: string): Promise<string> {
  const bundle = await rolldown({
    input: { claimgate: 'src/cli/claimgate.ts' },
    platform: 'node',
    // `pg` asks for it, and lives without it.
    external: ['pg-native'],
  });
  const { output } = await bundle.write({
    dir: join(outDir, FOLDER),
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
  });
  await bundle.close();
  const chunks = output.filter((file) => file.type === 'chunk');
  writeFileSync(join(outDir, 'THIRD-PARTY-NOTICES.txt'), writeNotices(chunks));
  const entry = join(outDir, FOLDER, 'claimgate.js');
  chmodSync(entry, 0o755);
  return entry;
}

/** What each package in the program is, and its licence's text where it brings one. */
function writeNotices(chunks: readonly OutputChunk[]): string {
  const folders = new Set(chunks.flatMap(({ moduleIds }) => moduleIds.flatMap(findPackageFolder)));
  const notices = [...folders].toSorted().map((folder) => {
    const { name, version, license }: Readonly<Record<string, string>> = JSON.parse(
      readFileSync(join(folder, 'package.json'), 'utf8'),
    );
    const file = ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'LICENCE', 'license']
      .map((file) => join(folder, file))
      .find((file) => existsSync(file));
    const text = file === undefined ? '' : `\n${readFileSync(file, 'utf8').trim()}\n`;
    return `${name} ${version}: ${license}\n${text}`;
  });
  return `The program holds these packages, each under its own licence.\n\n${notices.join('\n')}`;
}

function findPackageFolder(moduleId: string): readonly string[] {
  const [, folder] = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(moduleId) ?? [];
  return folder === undefined ? [] : [folder];
}
