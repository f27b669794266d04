// Owns when an output is the one that is shown: the same but for what is different each time, such as ids and times.
import { expect } from 'vitest';

import type { Example } from './read-examples.ts';

/** What varies, with the name that stands for it. Equal values get equal names. */
const VARYING: readonly (readonly [kind: string, pattern: RegExp])[] = [
  ['id', /\b[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b/g],
  ['time', /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g],
  ['token', /\bcgpat_[0-9a-f]{48}\b/g],
  ['challenge', /(?<=claimgate-verification=|"verificationToken":\s?")[0-9a-f]{32}\b/g],
  ['page', /(?<="nextToken":\s?")[\w-]+/g],
  ['details', /(?<="value":\s?")[\w+/-]{20,}/g],
  ['jwt', /\beyJ[\w-]+\.[\w-]+\.[\w-]+/g],
  ['server', /\bhttp:\/\/127\.0\.0\.1:\d+/g],
];

/** Passes where nothing is shown. */
export function expectShown(stdout: string, { output }: Pick<Example, 'output'>): void {
  if (output === undefined) return;
  const { language, text } = output;
  expect(normalizeOutput(language, stdout)).toEqual(normalizeOutput(language, text));
}

/** Both sides in the same form. */
function normalizeOutput(
  language: NonNullable<Example['output']>['language'],
  text: string,
): unknown {
  const named = nameVarying(text.trim());
  return language === 'json' ? parseJson(named) : named;
}

function nameVarying(text: string): string {
  return VARYING.reduce((named, [kind, pattern]) => {
    const names = new Map<string, string>();
    return named.replaceAll(pattern, (value) => {
      const name = names.get(value) ?? `<${kind} ${names.size + 1}>`;
      names.set(value, name);
      return name;
    });
  }, text);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`This is no JSON: ${text}`, { cause: error });
  }
}
