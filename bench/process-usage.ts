/** Owns reading what another process has used: memory, and processor time where the system tells. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second, whatever its own clock (proc(5), `USER_HZ`). */
const TICK_MS = 10;

/** Resident memory in MB (10⁶ bytes). */
export function readResidentMegabytes(pid: number): number {
  const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
  return (Number(stdout.trim()) * 1024) / 1e6;
}

/** Of all threads since the process began, in milliseconds; `undefined` where there is no `/proc`. */
export function readProcessorMs(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The program's name, in parentheses, may hold spaces; behind it, fields 14 and 15 are at 11 and 12.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return undefined;
  }
}

/**
 * For how long the main thread has been ready to run while something else had its core, in milliseconds; `undefined`
 * where the system does not tell.
 */
export function readCoreWaitMs(pid: number): number | undefined {
  try {
    // Nanoseconds on a core, nanoseconds waiting for one, and how often (Linux, sched-stats.rst).
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return undefined;
  }
}
