/** Owns what a long command tells on standard error: one line that changes on a terminal, else a line now and then. */
import type { CliContext } from './cli-context.ts';

export interface Step {
  /** In the form of "copying". */
  readonly what: string;
  readonly done: number;
  readonly total: number;
  readonly unit: string;
}

export interface ProgressLine {
  readonly note: (step: Step) => void;
  /** Leaves the terminal as it was. */
  readonly end: () => void;
}

/** Between two lines, in milliseconds. */
const PAUSE = { terminal: 200, other: 5000 } as const;

export function createProgressLine(
  { stderr }: Pick<CliContext, 'stderr'>,
  now: () => number = () => performance.now(),
): ProgressLine {
  const isTerminal = 'isTTY' in stderr && stderr.isTTY === true;
  let what = '';
  let startedAt = 0;
  let toldAt = 0;
  let isShown = false;

  const end = (): void => {
    if (isShown) stderr.write('\r\u001b[K');
    isShown = false;
  };
  return {
    end,
    note(step) {
      const at = now();
      if (step.what !== what) {
        what = step.what;
        startedAt = at;
        toldAt = at;
      }
      if (at - toldAt < (isTerminal ? PAUSE.terminal : PAUSE.other)) return;
      toldAt = at;
      const line = formatStep(step, (at - startedAt) / 1000);
      stderr.write(isTerminal ? `\r${line}\u001b[K` : `${line}\n`);
      isShown = isTerminal;
    },
  };
}

export function formatStep({ what, done, total, unit }: Step, seconds: number): string {
  const count = (value: number): string => Math.round(value).toLocaleString('en');
  const percent = total === 0 ? 100 : Math.floor((100 * done) / total);
  const rate = seconds === 0 ? 0 : done / seconds;
  const left = rate === 0 ? '' : `, ${formatSeconds((total - done) / rate)} left`;
  return `${what}: ${count(done)} of ${count(total)} ${unit} (${percent} %), ${count(rate)} a second${left}`;
}

function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
