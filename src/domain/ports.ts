/**
 * Owns what the domain asks of the world. A port's contract is its comment; one suite runs against every
 * implementation of the store (test/store/store-contract.ts).
 */
import type { AuditReader, AuditWriter } from './audit-ports.ts';
import type { AuditRetention } from './audit.ts';
import type { Awaitable } from './awaitable.ts';
import type { ConfigurationChecker } from './configuration-checker.ts';
import type { DomainVerification } from './domain-verification.ts';
import type { IdTokenSigner, PublishedKey, SigningKey } from './id-token.ts';
import type { IdentityProvider } from './identity-provider.ts';
import type { LoginAttemptRetention } from './login-attempt.ts';
import type { LoginReader, LoginWriter } from './login-ports.ts';
import type { MemberQuery, Organization, User } from './organization.ts';
import type { Page, PageRequest } from './page.ts';
import type { RateLimiter } from './rate-limiter.ts';
import type { RefusalRecorder } from './refusal-recorder.ts';
import type { SessionLifetime } from './session.ts';
import type { SsoConfiguration } from './sso-configuration.ts';
import type { PersonalAccessToken, TokenWithUser } from './token.ts';
import type { TrialReader, TrialWriter } from './trial-ports.ts';

/** The present moment, to the millisecond. */
export type Clock = () => Date;

/** A fresh UUID version 7 (RFC 9562 §5.7): ids of one process sort by creation. */
export type IdGenerator = () => string;

/** So many bytes from a cryptographically secure source. */
export type RandomBytes = (length: number) => Uint8Array;

/** All that a use case needs of the world. */
export interface Environment {
  readonly store: Store;
  readonly dns: DnsResolver;
  readonly signer: IdTokenSigner;
  readonly identityProvider: IdentityProvider;
  readonly configurationChecker: ConfigurationChecker;
  readonly rateLimiter: RateLimiter;
  readonly refusals: Pick<RefusalRecorder, 'note' | 'settle'>;
  readonly now: Clock;
  readonly newId: IdGenerator;
  readonly randomBytes: RandomBytes;
  /** What every URL that we make is built from; without a trailing slash. */
  readonly publicUrl: string;
  /** Accept `http:` issuers. For development only. */
  readonly allowHttpIssuers: boolean;
  /** Origins, besides our own, that a browser may be sent to after it has signed in or out. */
  readonly returnToOrigins: readonly string[];
  readonly sessionLifetime: SessionLifetime;
  readonly attemptRetention: LoginAttemptRetention;
  readonly auditRetention: AuditRetention;
}

/**
 * Looks up TXT records (RFC 1035 §3.3.14).
 *
 * Resolves to each record's text, its strings joined; to an empty list when the name or the type does not exist.
 * Fails with `DomainError('unavailable')` when no server answers within 5 seconds.
 */
export interface DnsResolver {
  resolveTxt(name: string): Promise<readonly string[]>;
}

/**
 * What can be asked of the store.
 *
 * - A row that is not there is `undefined`, never an error.
 * - Pages are sorted by id unless said otherwise, which is by creation; a page starts behind its cursor, so rows that
 *   come or go meanwhile are neither shown twice nor make others be left out. The cursor of another list or sort order
 *   fails with `DomainError('invalid_argument')`.
 * - Every method fails with `DomainError('unavailable')` when the database does not answer, whatever writes with
 *   `'resource_exhausted'` when it has no space left, and none with a driver's error.
 */
export interface StoreReader extends LoginReader, TrialReader, AuditReader {
  findOrganization(id: string): Awaitable<Organization | undefined>;
  /** True when there is no organization. */
  isEmpty(): Promise<boolean>;

  findUser(id: string): Promise<User | undefined>;
  /**
   * Sorted as the query says, ties by id in the same direction. `search` matches a part of name or email without
   * regard to case.
   */
  listMembers(query: MemberQuery, page: PageRequest): Promise<Page<User>>;
  countMembers(query: MemberQuery): Promise<number>;
  countActiveAdmins(organizationId: string): Promise<number>;
  /** Operators of status active, other than one user, or outside one organization. */
  countActiveOperators(other: {
    readonly except?: string;
    readonly outside?: string;
  }): Promise<number>;

  findSsoConfiguration(id: string): Awaitable<SsoConfiguration | undefined>;
  listSsoConfigurations(
    organizationId: string,
    page: PageRequest,
  ): Awaitable<Page<SsoConfiguration>>;
  /**
   * The client secret, decrypted. Fails with `DomainError('failed_precondition')` when it cannot be: a key is
   * missing, or the ciphertext was moved or changed.
   */
  readClientSecret(ssoConfigurationId: string): Promise<string | undefined>;

  findDomainVerification(id: string): Promise<DomainVerification | undefined>;
  listDomainVerifications(
    organizationId: string,
    page: PageRequest,
  ): Promise<Page<DomainVerification>>;

  /** The token with this digest (`secret.ts`) together with its user, whatever their state. */
  findTokenByDigest(digest: string): Awaitable<TokenWithUser | undefined>;
  findPersonalAccessToken(id: string): Promise<PersonalAccessToken | undefined>;
  /** The tokens of these users, at least one. */
  listPersonalAccessTokens(
    userIds: readonly string[],
    page: PageRequest,
  ): Promise<Page<PersonalAccessToken>>;

  /** All signing keys, newest first, their private halves decrypted. */
  listSigningKeys(): Promise<readonly SigningKey[]>;
  /** All signing keys, newest first, without their private halves: nothing is decrypted. */
  listPublicKeys(): Promise<readonly PublishedKey[]>;
}

/**
 * What can be changed, within a transaction: all of it or nothing, acknowledged only when it is durable.
 *
 * `lock…` reads a row and keeps other transactions from locking it until this one ends. Inserting a row whose unique
 * key is taken fails with `DomainError('already_exists')`, one whose organization or user is gone with `'aborted'`.
 * Updating or deleting a row that is not there does nothing.
 */
export interface StoreTransaction extends StoreReader, LoginWriter, TrialWriter, AuditWriter {
  lockOrganization(id: string): Promise<Organization | undefined>;
  /** Serializes every transaction that may take the last operator away, or that makes the first one. */
  lockOperators(): Promise<void>;
  insertOrganization(organization: Organization): Promise<void>;
  updateOrganization(organization: Organization): Promise<void>;
  /** With everything that belongs to it. */
  deleteOrganization(id: string): Promise<void>;

  /**
   * Call before `updateUser`, which writes all that the user is. Where an organization is locked as well, it is locked
   * first.
   */
  lockUser(id: string): Promise<User | undefined>;
  insertUser(user: User): Promise<void>;
  updateUser(user: User): Promise<void>;

  lockSsoConfiguration(id: string): Promise<SsoConfiguration | undefined>;
  /** `already_exists` when the organization has one with the same issuer URL and client id. */
  insertSsoConfiguration(configuration: SsoConfiguration, clientSecret: string): Promise<void>;
  /** As insert; a client secret that is absent stays. */
  updateSsoConfiguration(configuration: SsoConfiguration, clientSecret?: string): Promise<void>;
  deleteSsoConfiguration(id: string): Promise<void>;

  lockDomainVerification(id: string): Promise<DomainVerification | undefined>;
  /** `already_exists` when the organization has one for the same domain. */
  insertDomainVerification(verification: DomainVerification): Promise<void>;
  updateDomainVerification(verification: DomainVerification): Promise<void>;
  deleteDomainVerification(id: string): Promise<void>;

  insertPersonalAccessToken(token: PersonalAccessToken, digest: string): Promise<void>;
  deletePersonalAccessToken(id: string): Promise<void>;
  deletePersonalAccessTokensOf(userId: string): Promise<void>;
  /** Moves each token's `lastUsedAt` forward, never back. Unknown ids are passed over. */
  recordTokenUses(uses: ReadonlyMap<string, Date>): Promise<void>;

  /** Serializes the making of signing keys. */
  lockSigningKeys(): Promise<void>;
  insertSigningKey(key: SigningKey): Promise<void>;
  deleteSigningKey(id: string): Promise<void>;
}

/** The store: reads outside a transaction see what is committed. */
export interface Store extends StoreReader {
  /**
   * Runs `work` in one transaction and commits when it resolves. Whatever it throws rolls back and is thrown again.
   * Transactions do not nest: `work` uses only what it is given. It does no other waiting (no DNS, no HTTP) and may
   * be run again, so it has no effects outside the transaction.
   */
  transaction<Result>(work: (tx: StoreTransaction) => Promise<Result>): Promise<Result>;
  /** Writes, and resolves when that is durable. Asking often is for `readiness.ts` to prevent. */
  ping(): Promise<void>;
  /** Waits for what is running, then closes. Calls after it fail. */
  close(): Promise<void>;
}
