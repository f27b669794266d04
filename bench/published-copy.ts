/** Owns a copy of the program as it is published, JavaScript and no TypeScript, made from the sources as they are now. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { makeScratchFolder, removeScratchFolder } from './scratch.ts';

export interface PublishedCopy {
  /** What to run. */
  readonly entry: string;
  readonly remove: () => void;
}

export function makePublishedCopy(parent: string): PublishedCopy {
  const folder = makeScratchFolder(parent);
  const args = ['--project', 'tsconfig.build.json', '--noCheck', '--outDir', join(folder, 'dist')];
  // npm puts the project's own compiler on the path.
  const { status } = spawnSync('tsc', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error('The sources do not build');
  copyFileSync('package.json', join(folder, 'package.json'));
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  return {
    entry: join(folder, 'dist/src/cli/claimgate.js'),
    remove: () => removeScratchFolder(folder),
  };
}
