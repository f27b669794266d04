/** Owns the cutting of pages out of rows, and the check of the cursors that pages start behind. */
import { DomainError } from '../domain/errors.ts';
import type { Cursor, Page, PageRequest } from '../domain/page.ts';

/** What to ask for: a row more than the page has, to know whether there is another page. */
export function readLimit(page: PageRequest): number {
  return page.size + 1;
}

export function cutPage<Row, Item>(
  rows: readonly Row[],
  page: PageRequest,
  toItem: (row: Row) => Item,
  toCursor: (row: Row) => Cursor,
): Page<Item> {
  const shown = rows.slice(0, page.size);
  const last = shown.at(-1);
  const items = shown.map(toItem);
  return last !== undefined && rows.length > page.size
    ? { rows: items, next: toCursor(last) }
    : { rows: items };
}

/** The cursor of a list sorted by id alone. */
export function readIdCursor(after: Cursor): string {
  const [id] = after;
  if (after.length !== 1 || typeof id !== 'string' || holdsNul(after)) throw createCursorError();
  return id;
}

/** The cursor of a list sorted by one key, then by id. */
export function readKeyCursor(
  after: Cursor,
  type: 'string' | 'number',
): readonly [key: string | number, id: string] {
  const [key, id] = after;
  if (after.length !== 2 || typeof key !== type || typeof id !== 'string' || holdsNul(after)) {
    throw createCursorError();
  }
  return [key, id];
}

/** No row has U+0000, and PostgreSQL does not take it even in a question. */
function holdsNul(after: Cursor): boolean {
  return after.some((key) => typeof key === 'string' && key.includes('\0'));
}

function createCursorError(): DomainError {
  return new DomainError(
    'invalid_argument',
    'The page token belongs to another list or another sort order. Start again without it.',
    { reason: 'PAGE_TOKEN_OF_OTHER_LIST' },
  );
}
