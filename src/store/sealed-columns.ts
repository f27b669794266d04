/** Owns which columns hold secrets that are encrypted, and where each secret belongs. The compiler sees that none is forgotten. */
import type { CopiedTable } from './copied-tables.ts';
import { placeClaims } from './login-attempt-queries.ts';
import { placeSecrets } from './login-queries.ts';
import type { Row } from './plain-database.ts';
import type { Database } from './schema.ts';
import type { SecretPlace } from './secret-box.ts';
import { placePrivateKey } from './signing-key-queries.ts';
import { placeClientSecret } from './sso-configuration-queries.ts';
import { placeContent } from './test-login-queries.ts';

/** The tables that say in `key_id` which key their secret is under. */
type SealedTable = {
  [Table in keyof Database]: 'key_id' extends keyof Database[Table] ? Table : never;
}[keyof Database] &
  CopiedTable;

export interface SealedColumn {
  readonly column: string;
  /** Columns that say where the secret belongs, in the order in which `place` takes them. */
  readonly placedBy: readonly string[];
  readonly place: (...values: readonly string[]) => SecretPlace;
  /** For people: one of them, and several. */
  readonly what: string;
}

export const SEALED_COLUMNS: Readonly<Record<SealedTable, SealedColumn>> = {
  sso_configuration: {
    column: 'client_secret',
    placedBy: ['organization_id', 'id'],
    place: (organizationId = '', id = '') => placeClientSecret(organizationId, id),
    what: 'client secrets',
  },
  signing_key: {
    column: 'private_key',
    placedBy: ['id'],
    place: (id = '') => placePrivateKey(id),
    what: 'private signing keys',
  },
  login_attempt: {
    column: 'claims',
    placedBy: ['configuration_id', 'id'],
    place: (configurationId = '', id = '') => placeClaims(configurationId, id),
    what: 'claims of login attempts',
  },
  pending_login: {
    column: 'secrets',
    placedBy: ['state_digest', 'configuration_id'],
    place: (stateDigest = '', configurationId = '') => placeSecrets(stateDigest, configurationId),
    what: 'logins on their way',
  },
  test_login: {
    column: 'content',
    placedBy: ['organization_id', 'id'],
    place: (organizationId = '', id = '') => placeContent(organizationId, id),
    what: 'test logins',
  },
};

// The order of the properties, which are all of them.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
export const SEALED_TABLES = Object.keys(SEALED_COLUMNS) as readonly SealedTable[];

/** @param row has the columns of `placedBy` */
export function placeSecretOf({ place, placedBy }: SealedColumn, row: Row): SecretPlace {
  return place(...placedBy.map((column) => String(row[column])));
}
