/** Owns what is said when a unique key is taken: which thing there is, and what to do. Every unique key is listed. */
import { DomainError } from '../domain/errors.ts';
import type { ErrorReason } from '../domain/errors.ts';

interface UniqueKey {
  readonly table: string;
  readonly columns: readonly string[];
  /** The constraint or index, for the databases that name it. */
  readonly name: string;
  readonly message: string;
  /** For callers of the API, where one of their calls can clash. */
  readonly reason?: ErrorReason;
}

const UNIQUE_KEYS: readonly UniqueKey[] = [
  {
    table: 'sso_configuration',
    columns: ['organization_id', 'registration_key'],
    name: 'sso_configuration_organization_registration_key_key',
    reason: 'SSO_CONFIGURATION_EXISTS',
    message:
      'The organization has an SSO configuration with this issuer_url and client_id. Update that one, or delete it first; ListSSOConfigurations shows it.',
  },
  {
    table: 'domain_verification',
    columns: ['organization_id', 'domain_key'],
    name: 'domain_verification_organization_domain_key_key',
    reason: 'DOMAIN_VERIFICATION_EXISTS',
    message:
      'The organization has a domain verification for this domain. Use that one, or delete it first; ListDomainVerifications shows it.',
  },
  {
    table: 'personal_access_token',
    columns: ['digest'],
    name: 'personal_access_token_digest_key',
    message: 'There is such a personal access token. Make another one.',
  },
  {
    table: 'session',
    columns: ['digest'],
    name: 'session_digest_key',
    message: 'There is such a session. Sign in again.',
  },
  {
    table: 'identity',
    columns: ['configuration_id', 'identity_key'],
    name: 'identity_pkey',
    message: 'This person has just signed in for the first time elsewhere. Sign in again.',
  },
  {
    table: 'test_login',
    columns: ['token_digest'],
    name: 'test_login_token_digest_key',
    message: 'There is such a test login. Start another one.',
  },
  {
    table: 'test_login',
    columns: ['state_digest'],
    name: 'test_login_state_digest_key',
    message: 'There is such a test login. Start another one.',
  },
];

/** For databases that say which columns clash. */
export function createTakenErrorForColumns(table: string, columns: readonly string[]): DomainError {
  const found = UNIQUE_KEYS.find(
    (key) => key.table === table && key.columns.join() === columns.join(),
  );
  return createTakenError(found);
}

/** For databases that say which constraint or index clashes. */
export function createTakenErrorForName(name: string): DomainError {
  return createTakenError(UNIQUE_KEYS.find((key) => key.name === name));
}

/** Without a cause: it is the caller's affair, and happens every day. */
function createTakenError(key: UniqueKey | undefined): DomainError {
  // What remains are primary keys: ids that we made ourselves.
  const message = key?.message ?? 'There is something with this id. Try again.';
  return new DomainError('already_exists', message, { ...(key?.reason && { reason: key.reason }) });
}
