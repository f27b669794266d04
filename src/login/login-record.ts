/** Owns what is told of browsers' requests to whoever keeps the log and the metrics: how logins end, and what failed on our side. */
import { DomainError, isOurFailing } from '../domain/errors.ts';
import type { LoginFailureReason, LoginStage } from '../domain/login-failure.ts';
import { LoginRefused } from '../domain/login-refusal.ts';

/** One request that ended a login, opened a session, or failed on our side. It holds nothing of the request but where it went. */
export interface LoginRecord {
  readonly requestId: string;
  /** Of the trace that the caller named, or that we record. */
  readonly traceId: string | undefined;
  /** Such as `/login/{id}`: paths hold secrets. */
  readonly route: string;
  /** `failed` when the failing is ours. */
  readonly outcome: 'admitted' | 'refused' | 'failed';
  /** `ok`, why the login was refused, or a status code's name. */
  readonly code: string;
  /** Where a login ended; absent for what is none. */
  readonly stage?: LoginStage;
  readonly ssoConfigurationId?: string;
  /** The attempt that the refusal was recorded as. */
  readonly attemptId?: string;
  /** Of a login whose refusal is recorded nowhere else; holds no secret. */
  readonly detail?: string;
  /** Only when the failing is ours. */
  readonly cause?: unknown;
}

export type ObserveLogin = (record: LoginRecord) => void;

/** What a record says beyond the request that it is of. */
export type LoginEnd = Omit<LoginRecord, 'requestId' | 'traceId' | 'route'>;

/** A secret that does not decrypt is the operator's to mend, whoever may read of it in the attempt. */
const OUR_REASONS: ReadonlySet<LoginFailureReason> = new Set(['secret_undecryptable']);

/** How it ended, or `undefined` when it ended no login and the failing is the caller's. */
export function describeRefusal(
  error: unknown,
  stage: LoginStage | undefined,
): LoginEnd | undefined {
  if (error instanceof LoginRefused) {
    const { failure, attemptId, ssoConfigurationId } = error;
    const isOurs = OUR_REASONS.has(failure.reason);
    return {
      outcome: isOurs ? 'failed' : 'refused',
      code: failure.reason,
      stage: failure.stage,
      ...(ssoConfigurationId !== undefined && { ssoConfigurationId }),
      ...(attemptId !== undefined && { attemptId }),
      // Where there is an attempt, its organization's admin reads it there, and nobody else need.
      ...((isOurs || attemptId === undefined) && { detail: failure.detail }),
      ...(isOurs && { cause: failure }),
    };
  }
  if (!(error instanceof DomainError) || !isOurFailing(error)) return undefined;
  return {
    outcome: 'failed',
    code: error.code,
    ...(stage !== undefined && { stage }),
    cause: error,
  };
}
