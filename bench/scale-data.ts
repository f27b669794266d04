/**
 * Owns a database of many configurations: organizations of 20 to 1,000, and one that has a tenth of all. It writes the
 * store's tables directly, which is a hundred times as fast as the API. Their rows come in the order in which customers
 * would make them, which is not organization by organization: a list then reads pages from all over the file.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue } from 'node:sqlite';
import { v7 as newId } from 'uuid';

import type {
  OrganizationTable,
  SsoConfigurationDomainTable,
  SsoConfigurationTable,
} from '../src/store/schema.ts';
import type { SecretBox } from '../src/store/secret-box.ts';

export interface ScaleData {
  readonly size: number;
  /** At random, each equally likely. */
  readonly configurationIds: readonly string[];
  /** Of at least a page of configurations, at random. */
  readonly organizationIds: readonly string[];
  readonly bigOrganizationId: string;
}

export interface FillOptions {
  /** Holds a database that the server has made. */
  readonly folder: string;
  readonly size: number;
  /** How many random ids are wanted. */
  readonly samples: number;
  readonly note: (text: string) => void;
  /** Client secrets that open; without it, nothing opens them. */
  readonly seal?: (organizationId: string, id: string) => SecretBox;
}

const SMALLEST = 20;
const LARGEST = 1_000;
const PAGE = 25;
const BATCH = 50_000;
const FIRST_AT = Date.UTC(2024, 0, 1);
const DAY_MS = 86_400_000;
/** As long as one that is sealed. */
const sealNothing = (): SecretBox => ({
  keyId: 'key-of-the-benchmark',
  box: `1.${'n'.repeat(16)}.${'s'.repeat(56)}`,
});

export function fillDatabase(options: FillOptions): ScaleData {
  const { folder, size, samples, note, seal = sealNothing } = options;
  const random = createRandom(size);
  const database = new DatabaseSync(join(folder, 'claimgate.db'));
  // The server puts the file back to its write-ahead log when it opens it.
  database.exec(
    'PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000',
  );
  const organizations = insertOrganizations(database, size, random);
  const owners = organizations.flatMap(({ id, count }) => Array.from({ length: count }, () => id));
  shuffle(owners, random);

  const insertConfiguration = createInsert(
    database,
    'sso_configuration',
    describe(0, '', sealNothing).row,
  );
  const insertDomain = createInsert(
    database,
    'sso_configuration_domain',
    describe(0, '', sealNothing).domain,
  );
  const ids: string[] = [];
  for (let at = 0; at < size; at += BATCH) {
    database.exec('BEGIN');
    for (const [offset, owner] of owners.slice(at, at + BATCH).entries()) {
      const { row, domain } = describe(at + offset, owner, seal);
      insertConfiguration(row);
      insertDomain(domain);
      ids.push(row.id);
    }
    database.exec('COMMIT');
    note(`${ids.length.toLocaleString('en')} of ${size.toLocaleString('en')} configurations made`);
  }
  database.exec('ANALYZE');
  database.close();
  const pages = organizations.filter(({ count }) => count >= PAGE).map(({ id }) => id);
  const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)] ?? '';
  return {
    size,
    configurationIds: Array.from({ length: samples }, () => pick(ids)),
    organizationIds: Array.from({ length: samples }, () => pick(pages)),
    bigOrganizationId: organizations[0]?.id ?? '',
  };
}

interface PlannedOrganization {
  readonly id: string;
  readonly count: number;
}

/** The big one first. */
function insertOrganizations(
  database: DatabaseSync,
  size: number,
  random: () => number,
): PlannedOrganization[] {
  const planned: PlannedOrganization[] = [];
  let rest = size;
  for (let next = Math.max(PAGE, size / 10); rest > 0; next = drawCount(random)) {
    const count = Math.min(rest, Math.round(next));
    planned.push({ id: newId({ msecs: FIRST_AT + planned.length * 1000 }), count });
    rest -= count;
  }
  const describeOne = (id: string): OrganizationTable => ({
    id,
    name: `Organization ${id.slice(-6)}`,
    invite_domains: '[]',
    created_at: FIRST_AT,
    updated_at: FIRST_AT,
  });
  const insert = createInsert(database, 'organization', describeOne(''));
  database.exec('BEGIN');
  for (const { id } of planned) insert(describeOne(id));
  database.exec('COMMIT');
  return planned;
}

/** Many small ones and few large ones: even on a logarithmic scale. */
const drawCount = (random: () => number): number => SMALLEST * (LARGEST / SMALLEST) ** random();

function describe(
  index: number,
  owner: string,
  seal: NonNullable<FillOptions['seal']>,
): { readonly row: SsoConfigurationTable; readonly domain: SsoConfigurationDomainTable } {
  const at = FIRST_AT + DAY_MS + index * 60;
  const id = newId({ msecs: at });
  const domain = `customer-${index}.example`;
  const issuer = `https://login.customer-${index}.example/oauth2/default`;
  const { box, keyId } = seal(owner, id);
  const row: SsoConfigurationTable = {
    id,
    organization_id: owner,
    client_id: `0oa8k2v7wqXyZ4nB${index}`,
    issuer_url: issuer,
    registration_key: createHash('sha256').update(issuer).digest('base64url'),
    state: 'active',
    provider_type: 'custom',
    claims: '{"email":"mail","name":"profile.display_name"}',
    email_domains: JSON.stringify([domain]),
    display_name: `Customer ${index}`,
    additional_scopes: '["groups"]',
    claims_expression: `claims.email_verified && claims.email.endsWith("@${domain}")`,
    secret_origin: new URL(issuer).origin,
    revision: 1,
    created_at: at,
    updated_at: at,
    client_secret: box,
    key_id: keyId,
  };
  return { row, domain: { configuration_id: id, organization_id: owner, domain } };
}

/** @param example of a row, for its columns. */
function createInsert<Row extends Readonly<Record<keyof Row, SQLInputValue>>>(
  database: DatabaseSync,
  table: string,
  example: Row,
) {
  const columns = Object.keys(example);
  const places = columns.map(() => '?').join(', ');
  const statement = database.prepare(
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${places})`,
  );
  return (row: Row): void => {
    statement.run(...Object.values<SQLInputValue>(row));
  };
}

/** Mulberry32: the same organizations in every run. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Fisher and Yates. */
function shuffle(list: string[], random: () => number): void {
  for (let last = list.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [list[last], list[other]] = [list[other] ?? '', list[last] ?? ''];
  }
}
