/** Owns how migrations spell what all tables share: the id, the types, the names of indexes. */
import { sql } from 'kysely';
import type { CreateTableBuilder, Kysely } from 'kysely';
import type { ColumnTypes } from './known-migrations.ts';

export const bigint = sql`bigint`;

export interface TableBuilders {
  /** With a text id as its primary key. */
  readonly createTable: (name: string) => CreateTableBuilder<string, 'id'>;
  readonly createIndex: (
    table: string,
    columns: readonly string[],
    options?: {
      readonly unique?: boolean;
      /** A flag: the index is over the rows that have it. */
      readonly onlyWhere?: string;
      /** The index is over the rows that have this column. */
      readonly onlyWith?: string;
      /** Made of the columns unless given. */
      readonly name?: string;
    },
  ) => Promise<void>;
}

export function createTableBuilders(
  { schema }: Kysely<unknown>,
  text: ColumnTypes['text'],
): TableBuilders {
  return {
    createTable: (name) =>
      schema.createTable(name).addColumn('id', text, (column) => column.notNull().primaryKey()),

    async createIndex(table, columns, options = {}) {
      const suffix = options.unique === true ? 'key' : 'idx';
      const names = columns.map((column) => column.replace(/_(?:id|at)$/, ''));
      let index = schema
        .createIndex(options.name ?? [table, ...names, suffix].join('_'))
        .on(table)
        .columns([...columns]);
      if (options.unique === true) index = index.unique();
      if (options.onlyWhere !== undefined) {
        index = index.where(sql.ref(options.onlyWhere), '=', sql.lit(1));
      }
      if (options.onlyWith !== undefined) {
        index = index.where(sql.ref(options.onlyWith), 'is not', null);
      }
      await index.execute();
    },
  };
}
