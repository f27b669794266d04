// Owns a disk that is small enough to be filled: a tmpfs of its own.
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SmallDisk {
  readonly folder: string;
  /** Leaves no byte free. */
  readonly fill: () => void;
  /** Takes away what filled it. */
  readonly free: () => void;
  /** Nothing may have a file on it open for writing. */
  readonly makeReadOnly: () => void;
  readonly dispose: () => Promise<void>;
}

const CHUNK = Buffer.alloc(4096, 1);

/** @param owner the user and group that may write on it, by number. */
export async function mountSmallDisk(megabytes: number, owner = 0): Promise<SmallDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'claimgate-disk-'));
  const options = `size=${megabytes}m,mode=0700,uid=${owner},gid=${owner}`;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'claimgate-faults', folder], {
      stdio: 'pipe',
    });
  } catch (error) {
    await rmdir(folder);
    throw new Error(
      'A full disk is tried on a small tmpfs, and mounting one failed. Run these tests as root, or in a container that may mount (docker run --cap-add SYS_ADMIN).',
      { cause: error },
    );
  }
  const filler = join(folder, 'filler');
  return {
    folder,
    fill() {
      const file = openSync(filler, 'w');
      try {
        for (;;) writeSync(file, CHUNK);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(filler, { force: true }),
    makeReadOnly: () => void execFileSync('mount', ['-o', 'remount,ro', folder]),
    async dispose() {
      execFileSync('umount', [folder], { stdio: 'pipe' });
      await rmdir(folder);
    },
  };
}
