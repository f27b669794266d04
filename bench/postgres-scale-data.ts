/**
 * Owns a PostgreSQL database of so many organizations with 20 configurations each, every one with a domain that its
 * organization has proved. It writes the store's tables directly. An organization's rows lie all over the tables, as
 * they do when customers come and grow at the same time.
 */
import type { PostgresServer } from '../test/store/postgres-server.ts';

const EACH = 20;

export interface PostgresScaleData {
  readonly organizations: number;
  readonly configurations: number;
  /** At random. */
  readonly configurationIds: readonly string[];
  /** Emails of domains that one configuration each has, at random. */
  readonly emails: readonly string[];
}

/** @param database that a server has made */
export async function fillPostgres(
  server: PostgresServer,
  database: string,
  organizations: number,
  samples: number,
): Promise<PostgresScaleData> {
  await server.run(writeFill(organizations), database);
  await server.run('vacuum analyze', database);
  const chosen = await server.run(
    `select configuration_id, domain from sso_configuration_domain order by random() limit ${samples}`,
    database,
  );
  return {
    organizations,
    configurations: organizations * EACH,
    configurationIds: chosen.map(({ configuration_id }) => String(configuration_id)),
    emails: chosen.map(({ domain }) => `alice@${String(domain)}`),
  };
}

const writeFill = (organizations: number): string => `
  create unlogged table planned as
    select uuidv7()::text as id, n from generate_series(1, ${organizations}) n;
  insert into organization (id, name, invite_domains, created_at, updated_at)
    select id, 'Organization ' || n, '[]', 1700000000000, 1700000000000 from planned;
  create unlogged table filled as
    select uuidv7()::text as id, planned.id as owner, 'c' || n || '-' || i || '.example' as domain
    from generate_series(1, ${EACH}) i, planned order by i, random();
  insert into sso_configuration (id, organization_id, client_id, issuer_url, registration_key, state, provider_type,
      claims, email_domains, display_name, additional_scopes, claims_expression, secret_origin, revision, created_at,
      updated_at, client_secret, key_id)
    select id, owner, '0oa8k2v7wqXyZ4nB' || domain, 'https://login.' || domain || '/oauth2/default',
      rtrim(translate(encode(sha256(domain::bytea), 'base64'), '+/', '-_'), '='), 'active', 'custom',
      '{"email":"mail"}', '["' || domain || '"]', domain, '["groups"]',
      'claims.email_verified && claims.email.endsWith("@' || domain || '")', 'https://login.' || domain, 1,
      1700000000000, 1700000000000, '1.' || repeat('n', 16) || '.' || repeat('s', 56), 'key-of-the-benchmark'
    from filled;
  insert into sso_configuration_domain (configuration_id, organization_id, domain)
    select id, owner, domain from filled;
  insert into domain_verification (id, organization_id, domain, domain_key, state, token, created_at, verified_at)
    select uuidv7()::text, owner, domain, domain, 'verified', 'token-of-the-benchmark', 1700000000000, 1700000000000
    from filled;
  drop table planned, filled`;
