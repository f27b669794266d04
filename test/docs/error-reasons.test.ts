// The API guide lists the reasons that errors have: each one, and beside its code.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { ERROR_REASONS } from '../../src/domain/errors.ts';

const guide = readFileSync(join(import.meta.dirname, '../../docs/api.md'), 'utf8');

test('Every reason of an error is in the table of reasons, beside its code', () => {
  const table = guide.slice(guide.indexOf('| Reasons'), guide.indexOf('`error.reason`'));
  const listed = table.split('\n').flatMap((row) => {
    const [, code = '', reasons = ''] = row.split('|').map((cell) => cell.trim());
    const names = reasons.match(/`[A-Z][A-Z_]+`/g) ?? [];
    return names.map((name) => [name.slice(1, -1), code.slice(1, -1)]);
  });
  expect(Object.fromEntries(listed)).toEqual(ERROR_REASONS);
});
