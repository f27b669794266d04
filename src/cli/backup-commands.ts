/** Owns `claimgate backup`, `restore` and `migrate`: copies of the whole store. */
import type { Command } from 'commander';

import type { CliContext } from './cli-context.ts';
import { formatCount } from './format-value.ts';
import { addPrintOptions } from './print.ts';
import type { PrintOptions } from './print.ts';
import { createProgressLine } from './progress.ts';
import { printResult, runOperation, STORE_HELP } from './run-operation.ts';

interface ForceOptions extends PrintOptions {
  readonly force?: boolean;
}

export function addBackupCommands(program: Command, context: CliContext): void {
  addBackup(program, context);
  addRestore(program, context);
  addMigrate(program, context);
}

function addBackup(program: Command, context: CliContext): void {
  const command = program
    .command('backup <file>')
    .summary('copy the store into a file, while it is in use')
    .description(
      'Writes all that the store holds at this moment into one file, while servers go on. The file is checked before it gets its name.',
    )
    .option('--force', 'replace the file if it is there');
  addPrintOptions(command)
    .addHelpText(
      'after',
      `${STORE_HELP}

The file is a SQLite database that its owner alone can read, also where the store is on
PostgreSQL; claimgate restore puts it back on either. Client secrets, signing keys and the like are
in it encrypted. THE ENCRYPTION KEYS ARE NOT IN IT: they are in CLAIMGATE_ENCRYPTION_KEYS, or in the
file claimgate.key beside the SQLite database. Keep a copy of them apart from the backups: without
them no secret in a backup can be read by anybody.

Examples:
  $ claimgate backup /var/backups/claimgate-$(date +%F).db
  $ CLAIMGATE_DATABASE_URL=postgres://... claimgate backup ./claimgate.db --json`,
    )
    .action(async (file: string, options: ForceOptions) => {
      const progress = createProgressLine(context);
      const report = await runOperation(({ backUp }) =>
        backUp(context.env, { file, force: options.force === true }, progress.note),
      ).finally(progress.end);
      const keys = report.encryptionKeyIds.join(', ');
      await printResult(context, options, report, [
        `${report.file} has all of ${report.source}: ${formatRows(report.rows)}, ${formatBytes(report.bytes)}, checked.`,
        keys === ''
          ? 'It holds no secrets.'
          : `Its secrets are under the encryption keys ${keys}, which are not in it: keep a copy of ${report.encryptionKeysPlace ?? 'CLAIMGATE_ENCRYPTION_KEYS'} apart from it.`,
      ]);
    });
}

function addRestore(program: Command, context: CliContext): void {
  const command = program
    .command('restore <file>')
    .summary('put a backup in the place of the store')
    .description(
      'Puts a backup in the place of the store that CLAIMGATE_DATABASE_URL or --to names: SQLite or PostgreSQL, whichever it was made of.',
    )
    .option('--to <url>', 'the database, written as in CLAIMGATE_DATABASE_URL')
    .option('--force', 'replace all that the database holds');
  addPrintOptions(command)
    .addHelpText(
      'after',
      `${STORE_HELP}

Stop all servers on that database first; while one has it open, it refuses. The backup is checked
before anything is touched, and what was written is compared with it. A backup of an older version is
brought up to date, one of a newer version is refused. Put the encryption keys that belong to the
backup in their place too: see claimgate backup --help.

Other users of the machine see a password in --to; in CLAIMGATE_DATABASE_URL they do not.

Examples:
  $ claimgate restore /var/backups/claimgate-2026-11-21.db
  $ claimgate restore ./claimgate.db --to sqlite:/var/lib/claimgate/claimgate.db --force`,
    )
    .action(async (file: string, options: ForceOptions & { readonly to?: string }) => {
      const progress = createProgressLine(context);
      const { to, force = false } = options;
      const report = await runOperation(({ restore }) =>
        restore(context.env, { file, force, ...(to !== undefined && { to }) }, progress.note),
      ).finally(progress.end);
      for (const problem of report.keyProblems) context.stderr.write(`Warning: ${problem}\n`);
      await printResult(context, options, report, [
        `${report.target} has all of ${report.file}: ${formatRows(report.rows)}, compared. Start the servers.`,
      ]);
    });
}

function addMigrate(program: Command, context: CliContext): void {
  const command = program
    .command('migrate')
    .summary('move the store to another database')
    .description(
      'Copies the whole store to another, empty database, from SQLite to PostgreSQL or the other way, and compares both.',
    )
    .option('--from <url>', 'where the store is (CLAIMGATE_DATABASE_URL)')
    .option('--to <url>', 'where it is to be (CLAIMGATE_DATABASE_URL)')
    .option('--restart', 'begin an unfinished copy anew instead of going on with it');
  addPrintOptions(command)
    .addHelpText(
      'after',
      `${STORE_HELP}

Stop all servers on both first; while one has either open, it refuses, and none can start until it
ends. To try it while servers run, migrate --from sqlite:BACKUP. When it is interrupted, run it
again: it goes on where it stopped. Until it is done, no server starts on the target. The source
stays as it is.

Secrets are copied as they are, encrypted: the target's servers need the same encryption keys, which
with PostgreSQL have to be in CLAIMGATE_ENCRYPTION_KEYS: the content of claimgate.key fits there.

One of --from and --to may be left out for what CLAIMGATE_DATABASE_URL names. Other users of the
machine see a password in an option; in the variable they do not.

Examples:
  $ export CLAIMGATE_DATABASE_URL=postgres://claimgate:...@db.example.com/claimgate
  $ export CLAIMGATE_ENCRYPTION_KEYS=$(cat /var/lib/claimgate/claimgate.key)
  $ claimgate migrate --from sqlite:/var/lib/claimgate/claimgate.db`,
    )
    .action(
      async (
        options: PrintOptions & {
          readonly from?: string;
          readonly to?: string;
          readonly restart?: boolean;
        },
      ) => {
        const progress = createProgressLine(context);
        const { from, to, restart = false } = options;
        const given = {
          restart,
          ...(from !== undefined && { from }),
          ...(to !== undefined && { to }),
        };
        const note = (sentence: string): void => void context.stderr.write(`${sentence}\n`);
        const report = await runOperation(({ migrate }) =>
          migrate(context.env, given, progress.note, note),
        ).finally(progress.end);
        const rows = Object.fromEntries(report.tables.map(({ table, rows }) => [table, rows]));
        await printResult(context, options, report, [
          `${report.to} has all of ${report.from}: ${formatRows(rows)}, compared row by row.`,
          'Start the servers on it, with the same encryption keys.',
        ]);
      },
    );
}

function formatRows(rows: Readonly<Partial<Record<string, number>>>): string {
  const { organization = 0, sso_configuration: configurations = 0 } = rows;
  const all = Object.values(rows).reduce<number>((sum, count) => sum + (count ?? 0), 0);
  return [
    formatCount(organization, 'organization'),
    formatCount(configurations, 'SSO configuration'),
    `${formatCount(all, 'row')} in all`,
  ].join(', ');
}

function formatBytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
