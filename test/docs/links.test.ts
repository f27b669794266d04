import { existsSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';

import { describe, expect, test } from 'vitest';

import { ROOT } from './read-examples.ts';

const DOCUMENTS = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...(await readdir(`${ROOT}docs`, { recursive: true }))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

describe.each(DOCUMENTS)('%s', (path) => {
  const text = read(path);

  test('links to files and headings that are there', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)];
    const dead = links.filter(([, file = '', heading]) => {
      const target = file === '' ? path : normalize(join(dirname(path), file));
      if (!existsSync(join(ROOT, target))) return true;
      return heading !== undefined && !listAnchors(read(target)).includes(heading);
    });
    expect(dead.map(([link]) => link)).toEqual([]);
  });

  test('names files and folders that are there', () => {
    const named =
      text.match(/(?<=`)(?:src|test|docs|proto|scripts|bench|\.ci)\/[\w./-]+(?=`)/g) ?? [];
    expect(named.filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
  });

  test('names scripts that package.json has', () => {
    const named = [...text.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(
      ([, name = '']) => name,
    );
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  test('breaks its lines, so that changes can be read', () => {
    const long = text.split('\n').filter((line) => line.length > 120 && !line.startsWith('|'));
    expect(long).toEqual([]);
  });
});

test('The way of a request and of a login names files that are there', () => {
  const named = read('docs/architecture.md').match(
    /\b(?:http|rpc|login|oidc|domain|store)\/[\w-]+\.ts\b/g,
  );
  expect(named?.length).toBeGreaterThan(20);
  expect(named?.filter((name) => !existsSync(join(ROOT, 'src', name)))).toEqual([]);
});

test('Every decision has a page in the list, and every page a decision, its reason and what was refused', async () => {
  const pages = (await readdir(`${ROOT}docs/decisions`)).filter((name) => /^\d/.test(name));
  const list = read('docs/decisions/README.md');
  for (const page of pages) {
    expect(list).toContain(`(${page})`);
    expect(read(`docs/decisions/${page}`)).toMatch(
      /\*\*Decided\.\*\*.*\*\*Why.*\*\*Refused\.\*\*/s,
    );
  }
});

/** As GitHub makes them. */
function listAnchors(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  );
}
