/**
 * Owns what goes to standard output: JSON exactly as the contract spells it, or aligned columns. Hints and questions
 * are no results and go to standard error.
 */
import { once } from 'node:events';

import { toJsonString } from '@bufbuild/protobuf';
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import type { Command } from 'commander';

import type { CliContext } from './cli-context.ts';
import { parseLimit } from './option-values.ts';

export interface PrintOptions {
  readonly json?: boolean;
}

export interface ListOptions extends PrintOptions {
  readonly limit?: number;
}

export interface LongListOptions extends ListOptions {
  readonly long?: boolean;
}

/** How a message looks for people: one of its values, and the title above it. */
export interface Column<Message> {
  readonly title: string;
  readonly read: (message: Message) => string;
  /** Left out of tables, for what only the view of a single thing has room for. */
  readonly detail?: boolean;
}

export function addPrintOptions(command: Command): Command {
  return command.option('--json', 'print JSON instead of text');
}

export function addListOptions(command: Command): Command {
  return addPrintOptions(command).option('--limit <count>', 'stop after so many rows', parseLimit);
}

export function addLongOption(command: Command): Command {
  return command.option('--long', 'print all there is of each row, one value a line');
}

const JSON_OPTIONS = { alwaysEmitImplicit: true, prettySpaces: 2 };

export async function printMessage<Schema extends DescMessage>(
  context: CliContext,
  options: PrintOptions,
  schema: Schema,
  message: MessageShape<Schema>,
  columns: readonly Column<MessageShape<Schema>>[],
): Promise<void> {
  if (options.json === true) return printJson(context, schema, message);
  return write(context, formatBlock(message, columns));
}

/** One value a line. */
export function formatBlock<Message>(
  message: Message,
  columns: readonly Column<Message>[],
): string {
  const width = Math.max(...columns.map(({ title }) => measure(title)));
  const lines = columns.map(({ title, read }) => `${pad(title, width)}  ${read(message)}\n`);
  return lines.join('');
}

/** For answers that hold nothing: JSON's empty object, or for people what has happened, beside the results. */
export async function printDone<Schema extends DescMessage>(
  context: CliContext,
  options: PrintOptions,
  schema: Schema,
  message: MessageShape<Schema>,
  sentence: string,
): Promise<void> {
  if (options.json === true) return printJson(context, schema, message);
  context.stderr.write(`${sentence}\n`);
}

export async function printJson<Schema extends DescMessage>(
  context: CliContext,
  schema: Schema,
  message: MessageShape<Schema>,
): Promise<void> {
  return write(context, `${formatJson(schema, message)}\n`);
}

/** Characters that steer a terminal or hide from the eye, beside those that JSON escapes anyway. */
const STEERING = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

function formatJson<Schema extends DescMessage>(
  schema: Schema,
  message: MessageShape<Schema>,
): string {
  return escapeSteering(toJsonString(schema, message, JSON_OPTIONS));
}

/** The same JSON, safe to look at. */
export function escapeSteering(json: string): string {
  return json.replaceAll(
    STEERING,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Prints rows as they arrive, so that a long list takes neither memory nor patience. */
export async function printList<Schema extends DescMessage>(
  context: CliContext,
  options: LongListOptions,
  schema: Schema,
  rows: AsyncIterable<MessageShape<Schema>>,
  columns: readonly Column<MessageShape<Schema>>[],
): Promise<void> {
  const limited = take(rows, options.limit ?? Infinity);
  if (options.json === true) return printJsonArray(context, schema, limited);
  if (options.long === true) return printBlocks(context, limited, columns);
  const short = columns.filter(({ detail }) => detail !== true);
  return printTable(context, limited, short);
}

/** Row after row with an empty line between them. */
async function printBlocks<Row>(
  context: CliContext,
  rows: AsyncIterable<Row>,
  columns: readonly Column<Row>[],
): Promise<void> {
  let separator = '';
  for await (const row of rows) {
    await write(context, `${separator}${formatBlock(row, columns)}`);
    separator = '\n';
  }
}

async function printJsonArray<Schema extends DescMessage>(
  context: CliContext,
  schema: Schema,
  rows: AsyncIterable<MessageShape<Schema>>,
): Promise<void> {
  let separator = '[';
  for await (const row of rows) {
    const json = formatJson(schema, row).replaceAll('\n', '\n  ');
    await write(context, `${separator}\n  ${json}`);
    separator = ',';
  }
  await write(context, separator === '[' ? '[]\n' : '\n]\n');
}

/** Rows whose values decide how wide the columns are. Those after them keep to these widths where they fit. */
const MEASURED_ROWS = 100;

async function printTable<Row>(
  context: CliContext,
  rows: AsyncIterable<Row>,
  columns: readonly Column<Row>[],
): Promise<void> {
  const titles = columns.map(({ title }) => title.toUpperCase());
  let widths: readonly number[] | undefined;
  let waiting: (readonly string[])[] = [titles];

  async function flush(): Promise<void> {
    const lines = waiting;
    waiting = [];
    widths ??= titles.map((_, index) =>
      Math.max(...lines.map((cells) => measure(cells[index] ?? ''))),
    );
    const text = lines.map((cells) => formatLine(cells, widths ?? []));
    await write(context, text.join(''));
  }

  for await (const row of rows) {
    waiting.push(columns.map(({ read }) => read(row)));
    if (waiting.length > MEASURED_ROWS) await flush();
  }
  await flush();
}

function formatLine(cells: readonly string[], widths: readonly number[]): string {
  const padded = cells.map((cell, index) => pad(cell, widths[index] ?? 0));
  return `${padded.join('  ').trimEnd()}\n`;
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - measure(text)));
}

/** In characters as people count them. */
function measure(text: string): number {
  return [...new Intl.Segmenter().segment(text)].length;
}

async function* take<Row>(rows: AsyncIterable<Row>, limit: number): AsyncIterable<Row> {
  let left = limit;
  for await (const row of rows) {
    yield row;
    left -= 1;
    if (left <= 0) return;
  }
}

export async function write(context: CliContext, text: string): Promise<void> {
  if (!context.stdout.write(text)) await once(context.stdout, 'drain');
}
