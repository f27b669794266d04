/** Owns reading the JSON that a command prints. */
import type { Finished } from './run-claimgate.ts';

export type Row = Readonly<Record<string, unknown>>;

/** What a command must have printed that shows one thing. */
export function readObject(finished: Finished): Row {
  const value = readJson(finished);
  if (!isRow(value)) throw new Error(finished.stdout);
  return value;
}

/** What a command must have printed that lists things. */
export function readRows(finished: Finished): readonly Row[] {
  const rows = readJson(finished);
  if (!Array.isArray(rows) || !rows.every(isRow)) throw new Error(finished.stdout);
  return rows;
}

function readJson({ exitCode, stdout, stderr }: Finished): unknown {
  if (exitCode !== 0) throw new Error(`${String(exitCode)}: ${stderr}`);
  return JSON.parse(stdout);
}

export function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null;
}
