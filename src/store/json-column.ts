/** Owns lists and maps in a column: as JSON text, which this store alone writes. */

export function writeJson(value: unknown): string {
  return JSON.stringify(value);
}

export function readStrings(json: string): readonly string[] {
  // Most lists are empty, and parsing one costs more than asking.
  if (json === '[]') return [];
  const strings: readonly string[] = JSON.parse(json);
  return strings;
}

export function readStringMap(json: string): Readonly<Record<string, string>> {
  if (json === '{}') return {};
  const map: Readonly<Record<string, string>> = JSON.parse(json);
  return map;
}
