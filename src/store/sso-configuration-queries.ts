/** Owns the queries over SSO configurations, their client secrets, and their email domains as they are looked up. */
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { StoreReader, StoreTransaction } from '../domain/ports.ts';
import type { SsoConfiguration } from '../domain/sso-configuration.ts';
import { readStringMap, readStrings, writeJson } from './json-column.ts';
import { cutPage, readIdCursor, readLimit } from './keyset-page.ts';
import type { Database, SsoConfigurationTable } from './schema.ts';
import { openOrRefuse, sealSecret } from './secret-box.ts';
import type { SecretPlace } from './secret-box.ts';
import { lockRow } from './sql-session.ts';
import type { FixedQuery, SqlSession } from './sql-session.ts';

type Reads = Pick<
  StoreReader,
  'findSsoConfiguration' | 'listSsoConfigurations' | 'readClientSecret'
>;
type Writes = Pick<
  StoreTransaction,
  | 'lockSsoConfiguration'
  | 'insertSsoConfiguration'
  | 'updateSsoConfiguration'
  | 'deleteSsoConfiguration'
>;

/** The columns that a configuration is read from. */
export const SSO_CONFIGURATION_COLUMNS = [
  'id',
  'organization_id',
  'client_id',
  'issuer_url',
  'state',
  'provider_type',
  'claims',
  'email_domains',
  'display_name',
  'additional_scopes',
  'claims_expression',
  'secret_origin',
  'revision',
  'created_at',
  'updated_at',
] as const;

type Row = Pick<SsoConfigurationTable, (typeof SSO_CONFIGURATION_COLUMNS)[number]>;

/** Takes the id. */
const findById: FixedQuery<Row> = (db) =>
  db.selectFrom('sso_configuration').select(SSO_CONFIGURATION_COLUMNS).where('id', '=', '');

/** Takes an array of ids. */
const findByIds: FixedQuery<Row> = (db) =>
  db
    .selectFrom('sso_configuration')
    .select(SSO_CONFIGURATION_COLUMNS)
    .where('id', '=', sql<string>`any(${[]})`);

/** Takes the configuration's id. */
const listDomainsById: FixedQuery<{ readonly domain: string }> = (db) =>
  db.selectFrom('sso_configuration_domain').select('domain').where('configuration_id', '=', '');

/** Takes the organization's id, the id to begin behind, and how many there may be. */
const listBehind: FixedQuery<Row> = (db) =>
  db
    .selectFrom('sso_configuration')
    .select(SSO_CONFIGURATION_COLUMNS)
    .where('organization_id', '=', '')
    .where('id', '>', '')
    .orderBy('id')
    .limit(0);

export function createSsoConfigurationReads({ db, keyring, run }: SqlSession): Reads {
  return {
    async findSsoConfiguration(id) {
      const [row] = await run(findById, id);
      return row && readConfiguration(row);
    },

    async listSsoConfigurations(organizationId, page) {
      // No id is empty.
      const behind = page.after === undefined ? '' : readIdCursor(page.after);
      const rows = await run(listBehind, organizationId, behind, readLimit(page));
      return cutPage(rows, page, readConfiguration, ({ id }) => [id]);
    },

    async readClientSecret(id) {
      const row = await db
        .selectFrom('sso_configuration')
        .select(['organization_id', 'client_secret', 'key_id'])
        .where('id', '=', id)
        .executeTakeFirst();
      if (row === undefined) return undefined;
      const box = { keyId: row.key_id, box: row.client_secret };
      return openOrRefuse(
        keyring,
        placeClientSecret(row.organization_id, id),
        box,
        'The stored client secret cannot be decrypted. Set client_secret again, or ask the operator to restore the encryption key it is under.',
      );
    },
  };
}

/** On PostgreSQL alone. */
export async function findSsoConfigurations(
  { run }: SqlSession,
  ids: readonly string[],
): Promise<ReadonlyMap<string, SsoConfiguration>> {
  const rows = await run(findByIds, ids);
  return new Map(rows.map((row) => [row.id, readConfiguration(row)]));
}

export function createSsoConfigurationWrites(session: SqlSession): Writes {
  const { db, keyring, run } = session;
  const sealClientSecret = (
    configuration: SsoConfiguration,
    clientSecret: string,
  ): Pick<SsoConfigurationTable, 'client_secret' | 'key_id'> => {
    const place = placeClientSecret(configuration.organizationId, configuration.id);
    const { keyId, box } = sealSecret(keyring, place, clientSecret);
    return { client_secret: box, key_id: keyId };
  };

  return {
    async lockSsoConfiguration(id) {
      const query = db
        .selectFrom('sso_configuration')
        .select(SSO_CONFIGURATION_COLUMNS)
        .where('id', '=', id);
      const row = await lockRow(session, query).executeTakeFirst();
      return row && readConfiguration(row);
    },

    async insertSsoConfiguration(configuration, clientSecret) {
      const sealed = sealClientSecret(configuration, clientSecret);
      const row = { ...writeConfiguration(configuration), ...sealed };
      await db.insertInto('sso_configuration').values(row).execute();
      await insertDomains(db, configuration, [...listDomains(configuration)]);
    },

    async updateSsoConfiguration(configuration, clientSecret) {
      const { id, organization_id: _, created_at: __, ...row } = writeConfiguration(configuration);
      const sealed =
        clientSecret === undefined ? {} : sealClientSecret(configuration, clientSecret);
      await db
        .updateTable('sso_configuration')
        .set({ ...row, ...sealed })
        .where('id', '=', id)
        .execute();
      // Most changes leave the domains as they are.
      const wanted = listDomains(configuration);
      const present = new Set((await run(listDomainsById, id)).map(({ domain }) => domain));
      await deleteDomains(
        db,
        configuration,
        [...present].filter((domain) => !wanted.has(domain)),
      );
      await insertDomains(
        db,
        configuration,
        [...wanted].filter((domain) => !present.has(domain)),
      );
    },

    async deleteSsoConfiguration(id) {
      await db.deleteFrom('sso_configuration').where('id', '=', id).execute();
    },
  };
}

/** Lower-cased, each once. */
function listDomains(configuration: SsoConfiguration): ReadonlySet<string> {
  return new Set(configuration.emailDomains.map((domain) => domain.toLowerCase()));
}

async function insertDomains(
  db: Kysely<Database>,
  configuration: SsoConfiguration,
  domains: readonly string[],
): Promise<void> {
  if (domains.length === 0) return;
  const rows = domains.map((domain) => ({
    configuration_id: configuration.id,
    organization_id: configuration.organizationId,
    domain,
  }));
  await db.insertInto('sso_configuration_domain').values(rows).execute();
}

async function deleteDomains(
  db: Kysely<Database>,
  configuration: SsoConfiguration,
  domains: readonly string[],
): Promise<void> {
  if (domains.length === 0) return;
  await db
    .deleteFrom('sso_configuration_domain')
    .where('configuration_id', '=', configuration.id)
    .where('domain', 'in', domains)
    .execute();
}

export function placeClientSecret(organizationId: string, configurationId: string): SecretPlace {
  return ['sso-configuration', organizationId, configurationId, 'client_secret'];
}

export function readConfiguration(row: Row): SsoConfiguration {
  return {
    id: row.id,
    organizationId: row.organization_id,
    clientId: row.client_id,
    issuerUrl: row.issuer_url,
    state: row.state,
    providerType: row.provider_type,
    claims: readStringMap(row.claims),
    emailDomains: readStrings(row.email_domains),
    displayName: row.display_name,
    additionalScopes: readStrings(row.additional_scopes),
    claimsExpression: row.claims_expression,
    secretOrigin: row.secret_origin,
    revision: row.revision,
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
  };
}

function writeConfiguration(
  configuration: SsoConfiguration,
): Omit<SsoConfigurationTable, 'client_secret' | 'key_id'> {
  const { issuerUrl, clientId } = configuration;
  const registration = JSON.stringify([issuerUrl, clientId]);
  return {
    id: configuration.id,
    organization_id: configuration.organizationId,
    client_id: clientId,
    issuer_url: issuerUrl,
    registration_key: createHash('sha256').update(registration).digest('base64url'),
    state: configuration.state,
    provider_type: configuration.providerType,
    claims: writeJson(configuration.claims),
    email_domains: writeJson(configuration.emailDomains),
    display_name: configuration.displayName,
    additional_scopes: writeJson(configuration.additionalScopes),
    claims_expression: configuration.claimsExpression,
    secret_origin: configuration.secretOrigin,
    revision: configuration.revision,
    created_at: configuration.createdAt.getTime(),
    updated_at: configuration.updatedAt.getTime(),
  };
}
