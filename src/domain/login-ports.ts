/** Owns what a login asks of the store: the part of the store's contract that `ports.ts` takes up. */
import type { AuditRetention } from './audit.ts';
import type {
  ListedLoginAttempt,
  LoginAttempt,
  LoginAttemptFilter,
  LoginAttemptRetention,
} from './login-attempt.ts';
import type { Identity } from './login-person.ts';
import type { PendingLogin } from './pending-login.ts';
import type { User } from './organization.ts';
import type { Page, PageRequest } from './page.ts';
import type { Session, SessionLifetime, StoredSession } from './session.ts';
import type { SsoConfiguration } from './sso-configuration.ts';

/** What a login reads, within a transaction or without. */
export interface LoginReader {
  /**
   * The active configurations that carry this email domain (normalized), of organizations that have verified it;
   * oldest first, at most 100. One query whose work does not tell whether there are any.
   */
  listSsoConfigurationsForLogin(emailDomain: string): Promise<readonly SsoConfiguration[]>;

  /** The session with this SHA-256 digest together with its user and its token, whatever their state. */
  findSessionByDigest(digest: string): Promise<StoredSession | undefined>;

  /** Newest first, by when they ended. */
  listLoginAttempts(
    filter: LoginAttemptFilter,
    page: PageRequest,
  ): Promise<Page<ListedLoginAttempt>>;
  findLoginAttempt(id: string): Promise<ListedLoginAttempt | undefined>;
  /**
   * The claims kept of an attempt, decrypted; `undefined` when none are kept. Fails with
   * `DomainError('failed_precondition')` when they do not decrypt.
   */
  readLoginAttemptClaims(id: string): Promise<Readonly<Record<string, unknown>> | undefined>;
}

/** What a login changes, within a transaction. */
export interface LoginWriter {
  insertPendingLogin(pending: PendingLogin): Promise<void>;
  /**
   * The pending login with this state, and whether it had been taken before. Of several that take it at once, one is
   * the first. Pending logins are forgotten an hour after they expired.
   */
  takePendingLogin(
    stateDigest: string,
    now: Date,
  ): Promise<{ readonly pending: PendingLogin; readonly replayed: boolean } | undefined>;

  /** Whether the organization has a verified domain of this normalized name. */
  isDomainVerified(organizationId: string, domain: string): Promise<boolean>;
  /** Locks the user. */
  findUserByIdentity(
    ssoConfigurationId: string,
    issuer: string,
    subject: string,
  ): Promise<User | undefined>;
  hasIdentity(ssoConfigurationId: string, userId: string): Promise<boolean>;
  insertIdentity(identity: Identity): Promise<void>;
  /** Users of the organization, of any status, with this email without regard to case; at most 2, and locks them. */
  listUsersByEmail(organizationId: string, email: string): Promise<readonly User[]>;

  insertSession(session: Session, digest: string): Promise<void>;
  deleteSession(digest: string): Promise<void>;
  deleteSessionsOf(userId: string): Promise<void>;
  /** Moves each session's `lastUsedAt` forward, never back. Unknown ids are passed over. */
  recordSessionUses(uses: ReadonlyMap<string, Date>): Promise<void>;

  /**
   * Keeps the attempt, its claims encrypted, and forgets those claims of its configuration that the retention does not
   * keep.
   */
  insertLoginAttempt(
    attempt: LoginAttempt,
    claims: Readonly<Record<string, unknown>> | undefined,
    retention: LoginAttemptRetention,
  ): Promise<void>;
  /**
   * Forgets expired sessions, pending logins, test logins and rate limits, attempts and audit records older than
   * their retention, and all claims where none are to be kept; at most `limit` rows of each. Resolves to how many it were.
   */
  forgetExpired(expiry: {
    readonly now: Date;
    readonly sessionLifetime: SessionLifetime;
    readonly attemptRetention: LoginAttemptRetention;
    readonly auditRetention: AuditRetention;
    readonly limit: number;
  }): Promise<number>;
}
