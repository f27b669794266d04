/** Owns how the values of options are read from the command line. */
import { InvalidArgumentError, Option } from 'commander';

import { UsageError } from './cli-errors.ts';

/** For options that may be given several times. */
/** An empty value is more often a variable that is not set than a wish. */
export function parseExpression(value: string): string {
  if (value.trim() !== '') return value;
  throw new InvalidArgumentError(
    'It is empty, which would let everybody in. To do that, leave it out, or use --clear-claims-expression on update.',
  );
}

export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

export function parseSeconds(value: string): number {
  const seconds = Number(value);
  if (value.trim() !== '' && Number.isFinite(seconds) && seconds > 0) return seconds;
  throw new InvalidArgumentError('It must be a number of seconds above 0.');
}

export function parseLimit(value: string): number {
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('It must be a whole number above 0.');
}

const UNITS: Readonly<Record<string, bigint>> = { s: 1n, m: 60n, h: 3600n, d: 86_400n };

/** A span of time such as `30d`, in seconds. */
export function parseDuration(value: string): bigint {
  const [, amount, unit = ''] = /^(\d{1,9})([smhd])$/.exec(value) ?? [];
  const seconds = UNITS[unit];
  if (amount !== undefined && seconds !== undefined) return BigInt(amount) * seconds;
  throw new InvalidArgumentError('It must be a number and s, m, h or d: 90m, 12h or 30d.');
}

/** A moment: ISO 8601 with its offset from UTC, or so long ago, such as `7d`. */
export function parseMoment(value: string): Date {
  if (/^\d+[smhd]$/.test(value)) return new Date(Date.now() - Number(parseDuration(value)) * 1000);
  const isMoment = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})$/.test(
    value,
  );
  const moment = new Date(value);
  if (isMoment && !Number.isNaN(moment.getTime())) return moment;
  throw new InvalidArgumentError(
    'It must be a time such as 2026-01-01T00:00:00Z, or how long ago, such as 7d, 12h or 90m.',
  );
}

/** Pairs such as `email=mail`, gathered: our attribute, and the identity provider's claim. */
export function collectClaims(
  value: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [, attribute, claim] = /^([^=]+)=(.+)$/s.exec(value) ?? [];
  if (attribute !== undefined && claim !== undefined) return { ...before, [attribute]: claim };
  throw new InvalidArgumentError(
    'It must be ATTRIBUTE=CLAIM, such as email=mail. To remove a mapping use --clear-claim ATTRIBUTE.',
  );
}

/**
 * A hidden option that only says how to do it instead. Command lines show in process lists and shell histories, so no
 * secret may be given there; the message must not repeat the value.
 */
export function refuseOnCommandLine(flag: string, message: string): Option {
  return new Option(`${flag} [value]`)
    .hideHelp()
    .preset('')
    .argParser((): never => {
      throw new UsageError(message);
    });
}
