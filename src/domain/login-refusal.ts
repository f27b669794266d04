/** Owns how a login that fails is recorded: as an attempt, before it is refused. */
import { maskEmail } from './login-attempt.ts';
import type { LoginAttempt } from './login-attempt.ts';
import { LoginFailure } from './login-failure.ts';
import type { PendingLogin } from './pending-login.ts';
import type { Environment, StoreTransaction } from './ports.ts';
import { ssoConfigurationNotFound } from './sso-configuration.ts';

/** A login that ended without a session. What went wrong is for the admin, in `failure`. */
export class LoginRefused extends Error {
  override readonly name = 'LoginRefused';
  /** Of the attempt that it was recorded as: absent for who is not known to have begun one, and where none are kept. */
  readonly attemptId: string | undefined;
  readonly failure: LoginFailure;
  /** Absent for who is not known to have begun one. */
  readonly ssoConfigurationId: string | undefined;
  /** Where the browser wanted to go, once it has proved to be the one that began; for beginning again. */
  readonly returnTo: string | undefined;

  constructor(
    failure: LoginFailure,
    known: Partial<Pick<LoginRefused, 'attemptId' | 'ssoConfigurationId' | 'returnTo'>> = {},
  ) {
    super(failure.message);
    this.failure = failure;
    this.attemptId = known.attemptId;
    this.ssoConfigurationId = known.ssoConfigurationId;
    this.returnTo = known.returnTo;
  }
}

/** Runs a part of a login. A failure is recorded as an attempt and thrown as `LoginRefused`. */
export async function recordRefusal<Result>(
  env: Environment,
  pending: PendingLogin,
  address: string,
  run: () => Promise<Result>,
  known: () => {
    claims: Readonly<Record<string, unknown>> | undefined;
    email: string;
    returnTo: string | undefined;
  } = () => ({ claims: undefined, email: pending.email, returnTo: undefined }),
): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof LoginFailure)) throw error;
    const { claims, email, returnTo } = known();
    // A replay comes after its login has been recorded under the pending login's id.
    const id = error.reason === 'attempt_replayed' ? env.newId() : pending.id;
    const attempt = createAttempt(env, { ...pending, id }, address, email, error);
    await env.store.transaction(async (tx) => {
      await assertStillThere(tx, pending.ssoConfigurationId);
      await tx.insertLoginAttempt(attempt, claims, env.attemptRetention);
    });
    const isKept = env.attemptRetention.maxAgeMs > 0;
    const attemptId = isKept ? id : undefined;
    const { ssoConfigurationId } = pending;
    throw new LoginRefused(error, { attemptId, ssoConfigurationId, returnTo });
  }
}

export function createAttempt(
  env: Environment,
  pending: PendingLogin,
  address: string,
  email: string,
  failure: LoginFailure | undefined,
): LoginAttempt {
  return {
    id: pending.id,
    organizationId: pending.organizationId,
    ssoConfigurationId: pending.ssoConfigurationId,
    revision: pending.revision,
    outcome: failure === undefined ? 'admitted' : 'refused',
    stage: failure?.stage ?? 'session',
    reason: failure?.reason,
    // Others' words may be in it, and PostgreSQL cannot store U+0000.
    detail: (failure?.detail ?? '').replaceAll('\0', '\uFFFD'),
    maskedEmail: maskEmail(email),
    address,
    at: env.now(),
  };
}

/** Identity providers take their time, and what belongs to a configuration goes with it. */
export async function assertStillThere(
  tx: StoreTransaction,
  ssoConfigurationId: string,
): Promise<void> {
  if ((await tx.lockSsoConfiguration(ssoConfigurationId)) === undefined)
    throw ssoConfigurationNotFound();
}
