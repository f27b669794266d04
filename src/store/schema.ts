/**
 * Owns the types of the tables, as every supported database sees them. The tables themselves are made by
 * `migrations/`.
 *
 * One shape for all databases: ids, lists, maps and binary values are text (lists and maps as JSON, binary values as
 * base64url), times are integer milliseconds since 1970, booleans are 0 or 1.
 */
import type { Generated } from 'kysely';
import type { AuditActorKind, AuditSubjectType } from '../domain/audit.ts';
import type { DomainVerificationState } from '../domain/domain-verification.ts';
import type { LoginOutcome } from '../domain/login-attempt.ts';
import type { LoginFailureReason, LoginStage } from '../domain/login-failure.ts';
import type { Role, UserStatus } from '../domain/organization.ts';
import type { TestLogin } from '../domain/test-login.ts';
import type { ProviderType, SsoConfigurationState } from '../domain/sso-configuration.ts';

type Milliseconds = number;
type Json = string;
export type Flag = 0 | 1;

export interface OrganizationTable {
  id: string;
  name: string;
  invite_domains: Json;
  created_at: Milliseconds;
  updated_at: Milliseconds;
}

export interface UserTable {
  id: string;
  organization_id: string;
  name: string;
  email: string;
  avatar_url: string;
  role: Role;
  status: UserStatus;
  operator: Flag;
  login_provider: string;
  created_at: Milliseconds;
  /** What is sorted by: the start of the normalized name (see `search-text.ts`). */
  name_sort: string;
  name_search: string;
  email_search: string;
  /** The email as addresses are compared. */
  email_key: string;
}

export interface SsoConfigurationTable {
  id: string;
  organization_id: string;
  client_id: string;
  issuer_url: string;
  /** Digest of issuer URL and client id, unique in the organization: neither has a bounded length, an index has. */
  registration_key: string;
  state: SsoConfigurationState;
  provider_type: ProviderType;
  claims: Json;
  email_domains: Json;
  display_name: string;
  additional_scopes: Json;
  claims_expression: string;
  /** The issuer's origin when the client secret was given. */
  secret_origin: string;
  revision: number;
  created_at: Milliseconds;
  updated_at: Milliseconds;
  /** See `secret-box.ts`. */
  client_secret: string;
  /** The encryption key that `client_secret` is under. */
  key_id: string;
}

/** The email domains once more, lower-cased, to be looked up by. Kept in step with `email_domains`. */
export interface SsoConfigurationDomainTable {
  configuration_id: string;
  organization_id: string;
  domain: string;
}

export interface DomainVerificationTable {
  id: string;
  organization_id: string;
  domain: string;
  /** The domain lower-cased, unique in the organization. */
  domain_key: string;
  state: DomainVerificationState;
  token: string;
  created_at: Milliseconds;
  verified_at: Milliseconds | null;
}

export interface PersonalAccessTokenTable {
  id: string;
  user_id: string;
  digest: string;
  description: string;
  creator_id: string;
  read_only: Flag;
  created_at: Milliseconds;
  expires_at: Milliseconds | null;
  last_used_at: Milliseconds | null;
}

export interface SigningKeyTable {
  id: string;
  public_key: Json;
  /** See `secret-box.ts`. */
  private_key: string;
  /** The encryption key that `private_key` is under. */
  key_id: string;
  created_at: Milliseconds;
}

/** Ties a subject of an identity provider to a user. */
export interface IdentityTable {
  configuration_id: string;
  /** Digest of issuer and subject: neither has a bounded length, an index has. */
  identity_key: string;
  issuer: string;
  subject: string;
  user_id: string;
}

export interface SessionTable {
  id: string;
  digest: string;
  user_id: string;
  /** Null for a session that was traded for a token. */
  configuration_id: string | null;
  /** Null for a session that came of a login. */
  token_id: string | null;
  created_at: Milliseconds;
  last_used_at: Milliseconds;
}

export interface PendingLoginTable {
  state_digest: string;
  id: string;
  browser_digest: string;
  organization_id: string;
  configuration_id: string;
  revision: number;
  /** Nonce, code verifier, return address and email, as JSON; see `secret-box.ts`. */
  secrets: string;
  /** The encryption key that `secrets` is under. */
  key_id: string;
  expires_at: Milliseconds;
  taken_at: Milliseconds | null;
}

export interface LoginAttemptTable {
  id: string;
  organization_id: string;
  configuration_id: string;
  revision: number;
  outcome: LoginOutcome;
  stage: LoginStage;
  reason: LoginFailureReason | null;
  detail: string;
  masked_email: string;
  address: string;
  at: Milliseconds;
  /** Whom it signed in. */
  user_id: string | null;
  /** See `secret-box.ts`; null when none are kept. */
  claims: string | null;
  /** The encryption key that `claims` is under. */
  key_id: string | null;
}

export interface AuditRecordTable {
  id: string;
  /** Null for the server's own. */
  organization_id: string | null;
  at: Milliseconds;
  actor_kind: AuditActorKind;
  actor_id: string | null;
  credential_id: string | null;
  subject_type: AuditSubjectType | null;
  subject_id: string | null;
  action: string;
  /** Null for what was done. */
  reason: string | null;
  fields: Json;
  count: number;
}

export interface TestLoginTable {
  id: string;
  organization_id: string;
  /** Null for the draft of a configuration that is not stored. */
  configuration_id: string | null;
  phase: TestLogin['phase'];
  token_digest: string;
  state_digest: string | null;
  browser_digest: string | null;
  /** The plan or the report, as JSON; see `secret-box.ts`. */
  content: string;
  /** The encryption key that `content` is under. */
  key_id: string;
  expires_at: Milliseconds;
}

/** How often something has been done in the window that ends then. */
export interface RateLimitTable {
  key: string;
  count: number;
  ends_at: Milliseconds;
}

/** One row for each thing that is locked without being a row of its own. */
export interface StoreLockTable {
  name: StoreLockName;
  /** Of `writable`: how often it has been seen that the store takes writes. */
  write_count: Generated<number>;
}

export type StoreLockName = 'operators' | 'signing_keys' | 'writable';

export interface Database {
  organization: OrganizationTable;
  user_account: UserTable;
  sso_configuration: SsoConfigurationTable;
  sso_configuration_domain: SsoConfigurationDomainTable;
  domain_verification: DomainVerificationTable;
  personal_access_token: PersonalAccessTokenTable;
  signing_key: SigningKeyTable;
  identity: IdentityTable;
  session: SessionTable;
  pending_login: PendingLoginTable;
  login_attempt: LoginAttemptTable;
  audit_record: AuditRecordTable;
  rate_limit: RateLimitTable;
  test_login: TestLoginTable;
  store_lock: StoreLockTable;
}
