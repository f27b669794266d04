/**
 * Owns what SQLite can do by itself, as a program: `raw-updates.ts <file> <id> <seconds>` updates one SSO configuration
 * over and over, each time in a transaction, with the settings and the statement of our store, and prints how often.
 */
import { DatabaseSync } from 'node:sqlite';
import { createHistogram } from 'node:perf_hooks';

import type { LoadResult } from './load.ts';

const [, , file = '', id = '', seconds = ''] = process.argv;

/** What UpdateSSOConfiguration sets. */
const COLUMNS = [
  'client_id',
  'issuer_url',
  'registration_key',
  'state',
  'provider_type',
  'claims',
  'email_domains',
  'display_name',
  'additional_scopes',
  'claims_expression',
  'secret_origin',
  'revision',
  'updated_at',
] as const;

const database = new DatabaseSync(file);
database.exec(`
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA foreign_keys = ON;
  PRAGMA secure_delete = ON;
  PRAGMA trusted_schema = OFF;
`);
const row = database
  .prepare(`SELECT ${COLUMNS.join(', ')} FROM sso_configuration WHERE id = ?`)
  .get(id);
if (row === undefined) throw new Error('There is no such configuration');
const values = COLUMNS.map((column) => row[column] ?? null);
const update = database.prepare(
  `UPDATE sso_configuration SET ${COLUMNS.map((column) => `${column} = ?`).join(', ')} WHERE id = ?`,
);
const latencies = createHistogram();
const startedAt = performance.now();
const deadline = startedAt + Number(seconds) * 1000;
let answers = 0;
for (let now = startedAt; now < deadline;) {
  database.exec('BEGIN IMMEDIATE');
  answers += 1;
  update.run(...values.slice(0, -2), answers, Date.now(), id);
  database.exec('COMMIT');
  const end = performance.now();
  latencies.record(Math.max(1, Math.round((end - now) * 1000)));
  now = end;
}
const output: LoadResult = {
  perSecond: (answers / (performance.now() - startedAt)) * 1000,
  answers,
  p50: latencies.percentile(50) / 1000,
  p99: latencies.percentile(99) / 1000,
};
database.close();
process.stdout.write(JSON.stringify(output));
