/** Owns what a process of ours ends with: one table, which --help prints. */
import { ClaimgateError } from '../client/node.ts';
import type { ClaimgateErrorCode } from '../client/node.ts';
import { CommandFailure, UsageError } from './cli-errors.ts';

interface ExitCode {
  readonly code: number;
  readonly meaning: string;
  /** The errors of a call that end with this code. Those that no row names end with 1. */
  readonly errors: readonly ClaimgateErrorCode[];
}

export const EXIT_CODES: readonly ExitCode[] = [
  { code: 0, meaning: 'done', errors: [] },
  { code: 1, meaning: 'any other failure, or a question answered with no', errors: [] },
  { code: 2, meaning: 'wrong usage: nothing was sent', errors: [] },
  {
    code: 3,
    meaning: 'no valid token, or one that may not do this',
    errors: ['unauthenticated', 'permission_denied'],
  },
  { code: 4, meaning: 'no such thing', errors: ['not_found'] },
  {
    code: 5,
    meaning: 'refused: a wrong value, a duplicate, or a state that does not allow it',
    errors: ['invalid_argument', 'already_exists', 'failed_precondition', 'out_of_range'],
  },
  {
    code: 6,
    meaning: 'the server cannot be reached, or takes too long',
    errors: ['unavailable', 'deadline_exceeded'],
  },
  {
    code: 7,
    meaning: 'the answer is no: a check failed, a rule refuses, or a preview shuts people out',
    errors: [],
  },
];

const OTHER = 1;
const USAGE = 2;
/** What has a wrong value. */
export const REFUSED = 5;
/** All went well, and what was asked turned out not to be so. */
export const ANSWER_IS_NO = 7;

export function chooseExitCode(reason: unknown): number {
  if (reason instanceof UsageError) return USAGE;
  if (reason instanceof CommandFailure) return reason.exitCode;
  if (!(reason instanceof ClaimgateError)) return OTHER;
  return EXIT_CODES.find(({ errors }) => errors.includes(reason.code))?.code ?? OTHER;
}

export function describeExitCodes(): string {
  return EXIT_CODES.map(({ code, meaning }) => `  ${code}  ${meaning}`).join('\n');
}
