/**
 * Owns which tables a copy of the store has, in an order in which every row comes behind those that it refers to, with
 * their primary keys. Left out is `store_lock` alone, whose rows the migrations make. The compiler and a test see that
 * no table is forgotten.
 */
import type { Database } from './schema.ts';

export type CopiedTable = Exclude<keyof Database, 'store_lock'>;

export const PRIMARY_KEYS: Readonly<Record<CopiedTable, readonly string[]>> = {
  organization: ['id'],
  user_account: ['id'],
  sso_configuration: ['id'],
  sso_configuration_domain: ['configuration_id', 'domain'],
  domain_verification: ['id'],
  personal_access_token: ['id'],
  signing_key: ['id'],
  identity: ['configuration_id', 'identity_key'],
  session: ['id'],
  pending_login: ['state_digest'],
  login_attempt: ['id'],
  audit_record: ['id'],
  rate_limit: ['key'],
  test_login: ['id'],
};

// The order of the properties, which are all of them.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
export const COPIED_TABLES = Object.keys(PRIMARY_KEYS) as readonly CopiedTable[];
