/** Owns `claimgate audit`: who changed or was refused what, to look at and to keep elsewhere. */
import { toJsonString } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Option } from 'commander';
import type { Command } from 'commander';

import { listAll } from '../client/node.ts';
import type { ClaimgateClient } from '../client/node.ts';
import { AuditRecordSchema } from '../../gen/claimgate/v1/audit_pb.ts';
import type { AuditRecord } from '../../gen/claimgate/v1/audit_pb.ts';
import type { CliContext } from './cli-context.ts';
import {
  addConnectionOptions,
  addOrganizationOption,
  chooseOrganization,
  connect,
  CONNECTION_HELP,
} from './connection.ts';
import type { ConnectionOptions } from './connection.ts';
import { formatList, formatText, formatTime } from './format-value.ts';
import { collect, parseMoment } from './option-values.ts';
import { addListOptions, addLongOption, escapeSteering, printList, write } from './print.ts';
import type { Column, LongListOptions } from './print.ts';

const COLUMNS: readonly Column<AuditRecord>[] = [
  { title: 'Time', read: ({ createdAt }) => formatTime(createdAt) },
  { title: 'Actor', read: ({ actorId }) => formatText(actorId) },
  { title: 'By', read: ({ actorKind }) => formatText(actorKind) },
  { title: 'Credential', read: ({ credentialId }) => formatText(credentialId), detail: true },
  { title: 'Action', read: ({ action }) => formatText(action) },
  { title: 'Refused', read: ({ reason }) => formatText(reason) },
  { title: 'Count', read: ({ count }) => String(count), detail: true },
  { title: 'Changed', read: ({ changedFields }) => formatList(changedFields), detail: true },
  { title: 'Kind', read: ({ subjectType }) => formatText(subjectType), detail: true },
  { title: 'Subject', read: ({ subjectId }) => formatText(subjectId) },
  { title: 'Organization', read: ({ organizationId }) => formatText(organizationId), detail: true },
  { title: 'Id', read: ({ id }) => formatText(id), detail: true },
];

interface AuditOptions extends ConnectionOptions {
  readonly organization?: string;
  readonly all?: boolean;
  readonly since?: Date;
  readonly until?: Date;
  readonly actor?: readonly string[];
  readonly subject?: readonly string[];
}

export function addAuditCommands(program: Command, context: CliContext): void {
  const audit = program
    .command('audit')
    .summary('see who changed or was refused what')
    .description(
      'Shows the audit log: every change, every refusal of a known caller, and every try to sign in.',
    );
  addListCommand(audit, context);
  addExportCommand(audit, context);
}

function addListCommand(audit: Command, context: CliContext): void {
  const command = audit.command('list').description('Lists records, newest first.');
  addConnectionOptions(addListOptions(addLongOption(addFilterOptions(command))))
    .addHelpText(
      'after',
      `${CONNECTION_HELP}

Examples:
  $ claimgate audit list --limit 20
  $ claimgate audit list --since 24h --long
  $ claimgate audit list --actor 019d53c1-... --json`,
    )
    .action(async (options: AuditOptions & LongListOptions) => {
      const rows = listRecords(await connect(context, options), options, false);
      await printList(context, options, AuditRecordSchema, rows, COLUMNS);
    });
}

function addExportCommand(audit: Command, context: CliContext): void {
  const command = audit
    .command('export')
    .description('Prints records as JSON lines, oldest first, for a program that keeps them.');
  addConnectionOptions(addFilterOptions(command))
    .addHelpText(
      'after',
      `${CONNECTION_HELP}

To go on where an export ended, give the createdAt of its last line to --since, or a minute less where several
servers write, and drop the lines whose id you have: records of the same time come again.

Examples:
  $ claimgate audit export --since 7d > audit.jsonl
  $ claimgate audit export --since 2026-01-01T00:00:00Z --until 2026-02-01T00:00:00Z --all
  $ claimgate audit export --since "$(tail -n 1 audit.jsonl | jq -r .createdAt)" >> audit.jsonl`,
    )
    .action(async (options: AuditOptions) => {
      const rows = listRecords(await connect(context, options), options, true);
      const progress = createCounter(context);
      try {
        for await (const record of rows) {
          const json = toJsonString(AuditRecordSchema, record, { alwaysEmitImplicit: true });
          await write(context, `${escapeSteering(json)}\n`);
          progress.note(record);
        }
      } finally {
        progress.end();
      }
    });
}

function addFilterOptions(command: Command): Command {
  return addOrganizationOption(command)
    .addOption(
      new Option('--all', "of all organizations, and the server's own; for operators").conflicts(
        'organization',
      ),
    )
    .option(
      '--since <time>',
      'only from this time on: 2026-01-01T00:00:00Z, or 7d ago',
      parseMoment,
    )
    .option('--until <time>', 'only before this time', parseMoment)
    .option('--actor <id>', 'only what this user did; may be given several times', collect)
    .option('--subject <id>', 'only what was done to this; may be given several times', collect);
}

async function* listRecords(
  client: ClaimgateClient,
  options: AuditOptions,
  ascending: boolean,
): AsyncGenerator<AuditRecord> {
  const { all, since, until, actor = [], subject = [] } = options;
  yield* listAll(client.audit.listAuditRecords, {
    organizationId: all === true ? '' : await chooseOrganization(client, options),
    filter: {
      actorIds: [...actor],
      subjectIds: [...subject],
      ...(since && { from: timestampFromDate(since) }),
      ...(until && { to: timestampFromDate(until) }),
    },
    ascending,
  });
}

/** How many rows go by between two words of it. */
const NOTED_ROWS = 1000;

/** Tells people at a terminal how far the export is: nobody knows how many there will be. */
function createCounter({ stderr }: CliContext) {
  const isTerminal = 'isTTY' in stderr && stderr.isTTY === true;
  let count = 0;
  return {
    note({ createdAt }: AuditRecord): void {
      count += 1;
      if (!isTerminal || count % NOTED_ROWS !== 0) return;
      stderr.write(`\r${count.toLocaleString('en')} records, to ${formatTime(createdAt)}\u001b[K`);
    },
    end(): void {
      if (isTerminal && count >= NOTED_ROWS) stderr.write('\r\u001b[K');
    },
  };
}
