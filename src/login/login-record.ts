/** Owns what is told of browsers' requests to whoever keeps the log: what failed on our side, and what is kept nowhere else. */
import { DomainError, isOurFailing } from '../domain/errors.ts';
import type { LoginFailureReason, LoginStage } from '../domain/login-failure.ts';
import { LoginRefused } from '../domain/login.ts';

/** One request that ended in a refusal. It holds nothing of the request but where it went. */
export interface LoginRecord {
  readonly requestId: string;
  /** Such as `/login/{id}`: paths hold secrets. */
  readonly route: string;
  /** A status code's name, or why the login was refused. */
  readonly code: string;
  /** Of a login that was refused. */
  readonly stage?: LoginStage;
  /** Of a login that was refused; holds no secret. */
  readonly detail?: string;
  /** The attempt that the refusal was recorded as. */
  readonly attemptId?: string;
  /** Only when the failing is ours. */
  readonly cause?: unknown;
}

export type ObserveLogin = (record: LoginRecord) => void;

/** A secret that does not decrypt is the operator's to mend, whoever may read of it in the attempt. */
const OUR_REASONS: ReadonlySet<LoginFailureReason> = new Set(['secret_undecryptable']);

/** The record of a refusal, or `undefined` when it is told enough: to the caller, or to the admin in the attempt. */
export function describeRefusal(
  error: unknown,
): Omit<LoginRecord, 'requestId' | 'route'> | undefined {
  if (error instanceof LoginRefused) {
    const { failure, attemptId } = error;
    const { stage, reason, detail } = failure;
    const isOurs = OUR_REASONS.has(reason);
    if (attemptId !== undefined && !isOurs) return undefined;
    return {
      code: reason,
      stage,
      detail,
      ...(attemptId !== undefined && { attemptId }),
      ...(isOurs && { cause: failure }),
    };
  }
  if (!(error instanceof DomainError) || !isOurFailing(error)) return undefined;
  return { code: error.code, cause: error };
}
