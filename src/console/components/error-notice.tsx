/** Owns how an error of a call is told: what happened, what to do about it, and the id to name to the operator. */
import { toClaimgateError } from '../../client/claimgate-error.ts';
import type { ClaimgateError, ClaimgateErrorCode } from '../../client/claimgate-error.ts';
import { Button } from './button.tsx';

const HEADINGS: Readonly<Partial<Record<ClaimgateErrorCode, string>>> = {
  invalid_argument: 'Something is not right yet',
  unauthenticated: 'You are not signed in',
  permission_denied: 'You may not do this',
  not_found: 'It is not there',
  already_exists: 'It is there already',
  failed_precondition: 'This cannot be done now',
  resource_exhausted: 'Too much at once',
  aborted: 'Something else changed it meanwhile',
  unavailable: 'The server cannot be reached',
  deadline_exceeded: 'It took too long',
};

/** For codes whose messages do not say it themselves. */
const ADVICE: Readonly<Partial<Record<ClaimgateErrorCode, string>>> = {
  unauthenticated: 'Your session has ended. Load the page again to sign in.',
  not_found: 'It may have been deleted meanwhile, or belongs to another organization.',
  aborted: 'Load the page again, look at what is there now, then try again.',
  unavailable: 'Check your connection and try again in a moment.',
  deadline_exceeded: 'Load the page again to see whether it was done, then try again.',
  internal: 'Try again. If it happens again, tell the operator of this server the request id.',
};

export interface ErrorNoticeProps {
  /** Whatever a call threw. */
  readonly error: unknown;
  /** What could not be done, such as `The configuration was not saved`. */
  readonly title?: string | undefined;
  readonly onRetry?: (() => void) | undefined;
  /** Fields of the contract, such as `issuer_url`, whose violations are shown where they are typed. */
  readonly shownElsewhere?: readonly string[] | undefined;
}

export function ErrorNotice({ error, title, onRetry, shownElsewhere }: ErrorNoticeProps) {
  const failure = toClaimgateError(error);
  const { code, requestId, violations } = failure;
  const others = violations.filter(
    ({ field }) => shownElsewhere?.includes(nameField(field)) !== true,
  );
  return (
    <div className="notice wrong" role="alert">
      <h2>{title ?? HEADINGS[code] ?? 'This did not work'}</h2>
      {violations.length === 0 && <p>{failure.message}</p>}
      {violations.length > others.length && <p>Look at the fields that are marked.</p>}
      {others.length > 0 && (
        <ul>
          {others.map(({ field, message }) => (
            <li key={`${field} ${message}`}>
              {field !== '' && <code>{field}</code>} {message}
            </li>
          ))}
        </ul>
      )}
      {code === 'resource_exhausted' && <p>{adviseToWait(failure)}</p>}
      {ADVICE[code] !== undefined && <p>{ADVICE[code]}</p>}
      {requestId !== undefined && (
        <p className="note">
          Request id: <code>{requestId}</code>
        </p>
      )}
      {onRetry !== undefined && <Button onPress={onRetry}>Try again</Button>}
    </div>
  );
}

function adviseToWait({ retryAfterMs }: ClaimgateError): string {
  if (retryAfterMs === undefined) return 'Try again later.';
  return `Try again in ${Math.max(1, Math.ceil(retryAfterMs / 1000))} seconds.`;
}

/** The field of a form that a violation is about: `draft.email_domains[1]` is `email_domains`. */
export function nameField(path: string): string {
  return path.replace(/^draft\./, '').replace(/[.[].*$/, '');
}

/** For the `validationErrors` of a form: messages by the contract's name of the field. */
export function readValidationErrors(error: unknown): Record<string, string[]> {
  const errors: Record<string, string[]> = {};
  if (error === null || error === undefined) return errors;
  for (const { field, message } of toClaimgateError(error).violations) {
    (errors[nameField(field)] ??= []).push(capitalize(message));
  }
  return errors;
}

function capitalize(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}`;
}
