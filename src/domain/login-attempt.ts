/**
 * Owns the record of a login attempt: what an admin is shown of how it went. Never a token, never a code; the email
 * is masked, and the claims are kept encrypted, for a while, so that a rule can be tried on them.
 */
import type { Principal } from './access.ts';
import type { LoginFailureReason, LoginStage } from './login-failure.ts';
import { getOrganizationAsAdmin } from './organization.ts';
import type { Page, PageRequest } from './page.ts';
import type { Environment } from './ports.ts';

export type LoginOutcome = 'admitted' | 'refused';

export interface LoginAttempt {
  /** Shown to the person, who can name it to an admin. */
  readonly id: string;
  readonly organizationId: string;
  readonly ssoConfigurationId: string;
  /** Of the configuration, when the login began. */
  readonly revision: number;
  readonly outcome: LoginOutcome;
  /** Where it ended: `session` when admitted. */
  readonly stage: LoginStage;
  /** Absent when admitted. */
  readonly reason: LoginFailureReason | undefined;
  /** For the admin: what was seen and what to do. Empty when admitted. */
  readonly detail: string;
  /** Such as `a***@example.com`; empty when no email was known. */
  readonly maskedEmail: string;
  /** The browser's network address. */
  readonly address: string;
  readonly at: Date;
  /** Whom it signed in. */
  readonly userId?: string | undefined;
}

/** As the store has it. */
export interface ListedLoginAttempt extends LoginAttempt {
  /** Its claims are there, encrypted. */
  readonly claimsKept: boolean;
}

/** How much is kept of attempts. */
export interface LoginAttemptRetention {
  /** The newest so many of a configuration keep their claims; 0 keeps none. */
  readonly claimsPerConfiguration: number;
  /** Older attempts are forgotten, with their claims; in milliseconds, 0 keeps none at all. */
  readonly maxAgeMs: number;
}

export interface LoginAttemptFilter {
  readonly organizationId: string;
  readonly ssoConfigurationId?: string | undefined;
  readonly outcome?: LoginOutcome | undefined;
  /** Letter case aside. */
  readonly maskedEmail?: string | undefined;
  /** Only those whose claims are kept. */
  readonly claimsKept?: boolean | undefined;
}

/** The first character and the domain. */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf('@');
  if (at < 1) return email === '' ? '' : '***';
  const [first = ''] = email;
  return `${first}***${email.slice(at)}`;
}

/** An organization's attempts, newest first. */
export async function listLoginAttempts(
  env: Environment,
  caller: Principal,
  filter: LoginAttemptFilter,
  page: PageRequest,
): Promise<Page<ListedLoginAttempt>> {
  await getOrganizationAsAdmin(env, caller, filter.organizationId);
  return env.store.listLoginAttempts(filter, page);
}
