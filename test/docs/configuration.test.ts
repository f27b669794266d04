import { isDeepStrictEqual } from 'node:util';

import { describe, expect, test } from 'vitest';

import { parseConfig, variableNames } from '../../src/config.ts';
import type { Config } from '../../src/config.ts';
import { readDocument } from './read-examples.ts';

interface Row {
  readonly name: string;
  /** `undefined` where the page says "none". */
  readonly fallback: string | undefined;
  readonly meaning: string;
  readonly example: string;
}

const PAGE = await readDocument('docs/configuration.md');
const ROWS = readRows(PAGE);

/** These work together alone. */
const TLS = ['CLAIMGATE_TLS_CERT', 'CLAIMGATE_TLS_KEY'];

const DEFAULTS = parseConfig({});

test('The page names every variable of the server, once, and no other', () => {
  expect(ROWS.map(({ name }) => name).toSorted()).toEqual(variableNames.toSorted());
});

test('The page names no variable in its text that there is not', () => {
  const known = new Set([...variableNames, 'CLAIMGATE_URL', 'CLAIMGATE_TOKEN']);
  const named = PAGE.match(/CLAIMGATE_[A-Z_]*[A-Z]/g) ?? [];
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});

describe.each(ROWS)('$name', ({ name, fallback, meaning, example }) => {
  test('has a meaning and an example that is taken', () => {
    expect(meaning.length).toBeGreaterThan(20);
    expect(listChanges(name, example)).toHaveLength(1);
  });

  test('has the default that the page tells', () => {
    const [setting] = listChanges(name, example);
    const unset = setting === undefined ? 'nothing' : DEFAULTS[setting];
    if (fallback === undefined) {
      expect(unset ?? []).toEqual([]);
    } else {
      expect(parseConfig({ [name]: fallback })).toEqual(DEFAULTS);
      expect(unset).toBeDefined();
      expect(unset).not.toEqual([]);
    }
  });

  test('is marked when it is insecure, and only then', () => {
    expect(meaning.startsWith('**Insecure.**')).toBe(/_ALLOW_[A-Z]+_ISSUERS$/.test(name));
  });
});

/** The settings that differ from the defaults when the variable is set. */
function listChanges(name: string, value: string): readonly (keyof Config)[] {
  const pair = TLS.includes(name) ? Object.fromEntries(TLS.map((each) => [each, value])) : {};
  const config = parseConfig({ ...pair, [name]: value });
  const settings = Object.keys(config) as (keyof Config)[];
  return settings.filter((setting) => !isDeepStrictEqual(config[setting], DEFAULTS[setting]));
}

/** Each variable has a heading of its own, then its meaning, its default and an example. */
function readRows(page: string): readonly Row[] {
  const sections = page.split(/^(?=#)/m).filter((section) => section.startsWith('### `'));
  return sections.map((section) => {
    const [, name, meaning, fallback, example] =
      /^### `(\w+)`\n\n(.+?)\n\n- Default: (.+)\n- Example: `(.+)`\n*$/s.exec(section) ?? [];
    if (name === undefined || meaning === undefined || example === undefined)
      throw new Error(`This is no variable: ${section}`);
    return { name, fallback: readDefault(fallback ?? ''), meaning, example };
  });
}

function readDefault(text: string): string | undefined {
  if (text === 'none') return undefined;
  const [, value] = /^`([^`]+)`$/.exec(text) ?? [];
  if (value === undefined) throw new Error(`This is no default: ${text}`);
  return value;
}
