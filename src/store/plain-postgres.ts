/**
 * Owns PostgreSQL databases as commands open them: beside running servers, or alone. Alone is the lock that servers
 * take to migrate as they start; that no server is connected is seen in pg_stat_activity.
 */
import { MIGRATION_TABLE } from './migrate.ts';
import { StoreRefusal } from './plain-database.ts';
import type { PlainDatabase, Row } from './plain-database.ts';
import type { Company } from './plain-sqlite.ts';
import { parsePostgresUrl } from './postgres-address.ts';
import { SERVER_NAME } from './postgres-connection.ts';
import { findPostgresFailure } from './postgres-errors.ts';
import { MIGRATION_LOCK, migratePostgres } from './postgres-migrate.ts';
import { explainPostgresFailure } from './postgres-open-failure.ts';
import { createPrimaryConnector } from './postgres-primary.ts';

export interface PlainPostgres extends PlainDatabase {
  readonly kind: 'postgres';
}

/** Of one statement, such as the insert of a batch or the count of a large table, in milliseconds. */
const STATEMENT_TIMEOUT = 30 * 60_000;

/** Of a transaction that servers cross. */
const ATTEMPTS = 5;

const SET_UP = `set statement_timeout = ${STATEMENT_TIMEOUT};
set idle_in_transaction_session_timeout = 0;
set lock_timeout = 10000`;

export interface PlainPostgresOptions {
  readonly url: string;
  /** As for SQLite. */
  readonly company: Company;
  /** Gives an empty database its tables. */
  readonly make?: boolean;
  /** Whether everything is read as it was at the beginning. */
  readonly snapshot?: boolean;
}

/** Fails with `StoreOpenError` or `StoreRefusal`. */
export async function openPlainPostgres(options: PlainPostgresOptions): Promise<PlainPostgres> {
  const address = parsePostgresUrl(options.url);
  const primary = createPrimaryConnector(address, 'claimgate-command');
  try {
    const plain = bind(await primary.connect(), address.name);
    try {
      await plain.all(SET_UP);
      if (options.company === 'alone') await lockDatabase(plain);
      if (options.make === true && !(await plain.listTables()).includes(MIGRATION_TABLE)) {
        // It takes the lock itself.
        await plain.all(`select pg_advisory_unlock(${MIGRATION_LOCK})`);
        await migratePostgres(primary, 0);
        await lockDatabase(plain);
      }
      if (options.snapshot === true) {
        await plain.all('begin isolation level repeatable read, read only');
      }
      return plain;
    } catch (error) {
      await plain.close();
      throw error;
    }
  } catch (error) {
    throw error instanceof StoreRefusal ? error : explainPostgresFailure(address, error);
  }
}

/** Until the connection ends. A server that starts meanwhile waits for it. */
async function lockDatabase(plain: PlainPostgres): Promise<void> {
  const [lock] = await plain.all(`select pg_try_advisory_lock(${MIGRATION_LOCK})::int as taken`);
  const servers = await plain.all(
    `select pid from pg_stat_activity where datname = current_database() and application_name = '${SERVER_NAME}'`,
  );
  if (lock?.['taken'] === 1 && servers.length === 0) return;
  throw new StoreRefusal(
    `The database ${plain.name} is in use${servers.length === 0 ? ' by a server that starts, or by another command' : ` by servers with ${servers.length} connections`}. Stop all servers that use it, then try again.`,
  );
}

function bind(
  connection: Awaited<ReturnType<ReturnType<typeof createPrimaryConnector>['connect']>>,
  name: string,
): PlainPostgres {
  const ask = (sql: string, parameters: readonly unknown[] = []) => {
    let place = 0;
    const text = sql.replaceAll('?', () => `$${(place += 1)}`);
    const values = parameters.length === 0 ? {} : { values: parameters };
    return connection.query({ text, ...values }, performance.now() + STATEMENT_TIMEOUT);
  };
  const all = async (sql: string, parameters?: readonly unknown[]): Promise<readonly Row[]> => {
    // Our columns hold texts, integers and nulls alone.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return (await ask(sql, parameters)).rows as readonly Row[];
  };
  return {
    kind: 'postgres',
    name,
    all,
    run: async (sql, parameters) => (await ask(sql, parameters)).rowCount ?? 0,
    async transaction(work) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          await ask('begin');
          const result = await work();
          await ask('commit');
          return result;
        } catch (error) {
          await ask('rollback').catch(() => {});
          // Two that wait for one another: PostgreSQL ends one of them.
          if (findPostgresFailure(error) !== 'conflict' || attempt === ATTEMPTS) throw error;
        }
      }
    },
    async listColumns(table) {
      const rows = await all(
        `select column_name::text as name from information_schema.columns where table_schema = current_schema() and table_name = ?`,
        [table],
      );
      return rows.map(({ name }) => String(name)).toSorted();
    },
    async listTables() {
      const rows = await all(
        `select tablename::text as name from pg_tables where schemaname = current_schema()`,
      );
      return rows.map(({ name }) => String(name)).toSorted();
    },
    async insert(table, columns, rows) {
      const names = columns.map((column) => `"${column}"`).join(', ');
      // One parameter, whatever the number of rows and columns; PostgreSQL knows the types.
      const sql = `insert into ${table} (${names}) select ${names} from json_populate_recordset(null::${table}, ?)`;
      try {
        await ask(sql, [JSON.stringify(rows)]);
      } catch (error) {
        if (findPostgresFailure(error) !== 'text') throw error;
        throw new StoreRefusal(
          `A text in ${table} holds the character U+0000, which PostgreSQL cannot store. Change it at the source first.`,
        );
      }
    },
    async hurry() {
      await ask(`set synchronous_commit = off; set maintenance_work_mem = '256MB'`);
    },
    async settle() {
      await ask('set synchronous_commit = on');
    },
    async dropIndexes() {
      const references =
        await all(`select conrelid::regclass::text as table, quote_ident(conname) as name,
          pg_get_constraintdef(oid) as definition
        from pg_constraint where contype = 'f' and connamespace = current_schema()::regnamespace order by conname`);
      const indexes =
        await all(`select quote_ident(relname) as name, pg_get_indexdef(oid) as definition
        from pg_class join pg_index on indexrelid = oid
        where relnamespace = current_schema()::regnamespace and not exists
          (select from pg_constraint where conindid = indexrelid and contype <> 'f') order by relname`);
      for (const { table, name } of references) {
        await all(`alter table ${table} drop constraint ${name}`);
      }
      for (const { name } of indexes) await all(`drop index ${name}`);
      return [
        ...indexes.map(({ definition }) => String(definition)),
        ...references.map(
          ({ table, name, definition }) =>
            `alter table ${table} add constraint ${name} ${definition}`,
        ),
      ];
    },
    async empty(tables) {
      await ask(`truncate ${tables.join(', ')}`);
    },
    async close() {
      connection.end();
    },
  };
}
