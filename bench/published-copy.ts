/** Owns a copy of the program as it is published, JavaScript and no TypeScript, made from the sources as they are now. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';

import { bundleProgram } from '../scripts/bundle-program.ts';
import { makeScratchFolder, removeScratchFolder } from './scratch.ts';

export interface PublishedCopy {
  /** What to run. */
  readonly entry: string;
  readonly remove: () => void;
}

export async function makePublishedCopy(parent: string): Promise<PublishedCopy> {
  const folder = makeScratchFolder(parent);
  copyFileSync('package.json', join(folder, 'package.json'));
  const entry = await bundleProgram(join(folder, 'dist'));
  return { entry, remove: () => removeScratchFolder(folder) };
}
