/**
 * Owns logins that wait for their callback: what is remembered of one, and what a callback has to show to take it. It
 * refuses to own what comes before and after (`login.ts`).
 */
import { LoginFailure } from './login-failure.ts';
import { LoginRefused, recordRefusal } from './login-refusal.ts';
import type { Environment } from './ports.ts';
import { digestSecret } from './secret.ts';

/** A login that waits for its callback. Its secrets are stored encrypted, its state and its browser as digests. */
export interface PendingLogin {
  /** Becomes the id of the login attempt. */
  readonly id: string;
  /** SHA-256 of the `state` parameter. */
  readonly stateDigest: string;
  /** SHA-256 of the browser's login cookie. */
  readonly browserDigest: string;
  readonly organizationId: string;
  readonly ssoConfigurationId: string;
  readonly revision: number;
  readonly nonce: string;
  readonly codeVerifier: string;
  /** Where the browser goes in the end. */
  readonly returnTo: string;
  /** What the person typed; may be empty. */
  readonly email: string;
  readonly expiresAt: Date;
}

/** How long a person may take at the identity provider, in milliseconds. */
export const PENDING_LOGIN_LIFETIME = 10 * 60 * 1000;

export interface PendingLoginCallback {
  /** Whose redirect URI the browser came to. */
  readonly organizationId: string;
  readonly browserSecret: string | undefined;
  readonly address: string;
}

/** Takes the pending login out, once for all. Without a trusted one, nobody's admin can be told: the log alone is. */
export async function takePendingLogin(
  env: Environment,
  states: readonly string[],
  input: PendingLoginCallback,
): Promise<PendingLogin> {
  const refuse = (reason: LoginFailure['reason'], detail: string): never => {
    throw new LoginRefused(new LoginFailure('callback', reason, detail));
  };
  const [state] = states;
  if (state === undefined || state === '')
    return refuse('state_missing', 'The callback came without a state.');
  if (states.length > 1) return refuse('callback_invalid', 'The callback has two states.');
  const taken = await env.store.transaction((tx) =>
    tx.takePendingLogin(digestSecret(state), env.now()),
  );
  if (taken === undefined)
    return refuse('attempt_unknown', 'No login with this state is known, or it is long over.');
  const { pending, replayed } = taken;
  return recordRefusal(env, pending, input.address, async () => {
    if (replayed)
      throw new LoginFailure('callback', 'attempt_replayed', 'The callback came a second time.');
    checkRedirectUri(pending.organizationId, input.organizationId);
    if (pending.expiresAt <= env.now()) {
      throw new LoginFailure(
        'callback',
        'attempt_expired',
        'The person took more than 10 minutes. They can just begin again.',
      );
    }
    if (
      input.browserSecret === undefined ||
      pending.browserDigest !== digestSecret(input.browserSecret)
    ) {
      throw new LoginFailure(
        'callback',
        'browser_mismatch',
        'The callback came from another browser than the one in which the login began, or its cookies are blocked.',
      );
    }
    return pending;
  });
}

/** A code that comes to another redirect URI than the login's is another identity provider's (RFC 9700 §4.4.2.2). */
export function checkRedirectUri(expected: string, received: string): void {
  if (expected === received) return;
  throw new LoginFailure(
    'callback',
    'configuration_mismatch',
    'The identity provider answered to the redirect URI of another organization. Its code was sent nowhere. Somebody may have tried to get hold of it.',
  );
}
