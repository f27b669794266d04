/** Owns the pages that refusals become. What is neither of the two is not ours to explain, and goes on as it is. */
import { DomainError, isOurFailing } from '../domain/errors.ts';
import type { DomainErrorCode } from '../domain/errors.ts';
import { LoginRefused } from '../domain/login-refusal.ts';
import type { LoginContext } from './login-context.ts';
import type { LoginHttpResponse } from './login-http.ts';
import { createMessagePage, createRefusalPage } from './login-pages.ts';
import { adviseOn } from './refusal-advice.ts';
import { respondWithPage } from './respond.ts';

interface Explanation {
  readonly status: number;
  readonly heading: string;
  readonly text: string;
}

const BAD_LINK: Explanation = {
  status: 400,
  heading: 'This link does not work',
  text: 'It leads back to an address that is not allowed here. Go to the product that you want to use and sign in from there, or ask its makers.',
};

const GONE: Explanation = {
  status: 404,
  heading: 'This way to sign in does not exist',
  text: 'It may have been switched off. Begin again with your work email, or ask the admin of your organization.',
};

const OVER: Explanation = {
  status: 400,
  heading: 'This sign-in cannot go on',
  text: 'The settings of the server changed meanwhile. Begin again.',
};

const BUSY: Explanation = {
  status: 503,
  heading: 'Signing in does not work right now',
  text: 'Try again in a minute.',
};

/** The disk is full: no number of tries is at fault. */
const FULL: Explanation = {
  status: 503,
  heading: 'Signing in does not work right now',
  text: 'The service cannot save anything at the moment. Its operators can see why. Try again later.',
};

/** The messages of these errors are for callers of the API, so people read others. */
const EXPLANATIONS: Readonly<Record<DomainErrorCode, Explanation>> = {
  invalid_argument: BAD_LINK,
  not_found: GONE,
  failed_precondition: OVER,
  already_exists: BUSY,
  aborted: BUSY,
  unavailable: BUSY,
  unauthenticated: { status: 401, heading: 'You are not signed in', text: 'Sign in to go on.' },
  permission_denied: {
    status: 403,
    heading: 'This is not for you',
    text: 'Ask the admin of your organization.',
  },
  resource_exhausted: {
    status: 429,
    heading: 'Too many tries at once',
    text: 'Wait a minute, then go on.',
  },
};

/** @param returnTo as it was received; it is named in the link to begin again */
export function respondToError(
  { env, paths, noteRefusal }: LoginContext,
  error: unknown,
  returnTo = '',
): LoginHttpResponse {
  noteRefusal(error);
  if (error instanceof LoginRefused) {
    const advice = adviseOn(error.failure.reason);
    const target = error.returnTo ?? returnTo;
    return respondWithPage(
      env,
      advice.status,
      createRefusalPage(paths, advice, error.attemptId, target),
    );
  }
  if (!(error instanceof DomainError)) throw error;
  const { status, heading, text } = explain(error);
  // A link that does not work is not handed on.
  const page = createMessagePage(paths, {
    heading,
    text,
    ...(error.code !== 'invalid_argument' && { returnTo }),
  });
  return respondWithPage(env, status, page, createRetryHeaders(status, error.retryAfterMs));
}

function explain(error: DomainError): Explanation {
  return error.code === 'resource_exhausted' && isOurFailing(error)
    ? FULL
    : EXPLANATIONS[error.code];
}

function createRetryHeaders(
  status: number,
  retryAfterMs: number | undefined,
): Record<string, string> {
  if (retryAfterMs !== undefined) return { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) };
  return status === 503 ? { 'retry-after': '60' } : {};
}
