/** Owns what a failure reads like: what was wrong, where, and what to do. */
import { ClaimgateError } from '../client/node.ts';
import type { ClaimgateErrorCode } from '../client/node.ts';
import { CommandFailure, UsageError } from './cli-errors.ts';
import { makePrintable } from './format-value.ts';

/** What to do about an error whose message, or whose place, does not say it. */
const ADVICE: Readonly<Partial<Record<ClaimgateErrorCode, string>>> = {
  unauthenticated:
    'Put a personal access token into CLAIMGATE_TOKEN, or into a file that --token-file names. The server prints one at its first start; "claimgate token create" makes more.',
  permission_denied: 'Call with a token of somebody who may do this.',
  not_found:
    'Check the id, and that --url and the token are those of the organization that owns it.',
  invalid_argument: 'Correct what is named above. "--help" shows what each option takes.',
  unavailable:
    'Is the server running? "claimgate serve" starts one; --url or CLAIMGATE_URL names another.',
  deadline_exceeded:
    'The server takes too long. Try again, or give it longer with --timeout SECONDS.',
  aborted: 'The connection broke. See what has happened before you try again.',
  unimplemented: 'Is it a Claimgate server of this version that --url or CLAIMGATE_URL names?',
};

/** Where the reason says more than the code. */
const ADVICE_BY_REASON: Readonly<Record<string, string>> = {
  READ_ONLY_TOKEN: 'Call with a token that was created without --read-only.',
  ADMIN_REQUIRED: 'Call with a token of an ADMIN of the organization.',
  OPERATOR_REQUIRED: "Call with an operator's token, such as that of the server's first start.",
  CHANGED_MEANWHILE: 'Nothing was changed. Try again.',
  PARENT_DELETED: 'Nothing was changed. See what is still there before you try again.',
};

/** Lines for standard error, or nothing where all has been said. */
export function describeFailure(reason: unknown): string {
  if (reason instanceof ClaimgateError) return describeClaimgateError(reason);
  const message = reason instanceof Error ? reason.message : String(reason);
  if (message === '') return '';
  // A list of mistakes has lines of its own.
  if (reason instanceof CommandFailure) {
    return `claimgate: ${message.split('\n').map(makePrintable).join('\n')}\n`;
  }
  const line = `claimgate: ${makePrintable(message)}\n`;
  if (reason instanceof UsageError) return `${line}"--help" shows what a command takes.\n`;
  return `${line}This should not have happened.\n`;
}

function describeClaimgateError(error: ClaimgateError): string {
  const { code, reason, violations, retryAfterMs, requestId } = error;
  const places = violations.map(
    ({ field, rule, message }) => `  ${field === '' ? 'the request' : field}: ${message} (${rule})`,
  );
  const message = places.length === 0 ? error.message : 'These values are refused:';
  const wait =
    retryAfterMs === undefined ? [] : [`Try again in ${Math.ceil(retryAfterMs / 1000)} s.`];
  const advice = ADVICE_BY_REASON[reason ?? ''] ?? ADVICE[code];
  const lines = [
    `claimgate: ${code.replaceAll('_', ' ')}: ${message}`,
    ...places,
    ...wait,
    ...(advice === undefined ? [] : [advice]),
    ...(requestId === undefined ? [] : [`Request ${requestId}`]),
  ];
  return lines.map((line) => `${makePrintable(line)}\n`).join('');
}
