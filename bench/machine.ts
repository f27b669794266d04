/** Owns what the machine is, and how its cores are shared out between servers and load. */
import { spawnSync } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { arch, availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';

export interface Machine {
  readonly cores: number;
  /** Whether servers have a core of their own, and whatever loads them another. */
  readonly isPinned: boolean;
  /** What to put before a command so that it runs on these cores. */
  readonly place: (cores: Cores) => readonly string[];
}

/** `server` is one core, `load` another, `all` has both. */
export type Cores = 'server' | 'load' | 'all';

const TMPFS = 0x01021994;

let prepared: Machine | undefined;

/** Pins this process to the core of the load, so that what it starts is there too unless it is placed. */
export function prepareMachine(): Machine {
  // Once pinned, it would see a single core.
  prepared ??= shareOutCores();
  return prepared;
}

function shareOutCores(): Machine {
  const cores = availableParallelism();
  const last = cores - 1;
  const lists = { server: '0', load: '1', all: `0-${last}` } as const;
  const isPinned = last > 0 && runsTaskset(['-a', '-cp', lists.load, String(process.pid)]);
  return { cores, isPinned, place: (on) => (isPinned ? ['taskset', '-c', lists[on]] : []) };
}

function runsTaskset(args: readonly string[]): boolean {
  return spawnSync('taskset', args, { stdio: 'ignore' }).status === 0;
}

/** Markdown, for the head of the report. */
export function describeMachine({ cores, isPinned }: Machine, folder: string): string {
  const memory = Math.round(totalmem() / 2 ** 30);
  const load = loadavg()[0] ?? 0;
  const lines = [
    `- ${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cores} cores, ${memory} GiB of memory`,
    `- ${type()} ${release()}, ${arch()}; Node ${process.version}`,
    isPinned
      ? '- servers pinned to one core, the load to another (`taskset`)'
      : '- nothing is pinned to a core, for want of `taskset` or of a second core: servers and load disturb one another',
    `- load average when it began: ${load.toFixed(2)}${load > 0.7 ? ' (**the machine was not quiet**)' : ''}`,
  ];
  if (statfsSync(folder).type === TMPFS)
    lines.push(
      '- **the databases are in memory (tmpfs), so that syncing them costs nothing**: see `--folder`',
    );
  return lines.join('\n');
}
