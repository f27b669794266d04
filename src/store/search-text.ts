/**
 * Owns the form in which names and emails are searched and sorted. It is stored beside them, because databases differ
 * in what they take for the same letter (SQLite knows ASCII only).
 */

/** How much of a name decides its place, in code points: index entries have a limited length. */
const SORTED_LENGTH = 100;

const WILDCARD = /[!%_]/g;

/** Compatibility forms unified (Unicode NFKC), case removed. */
export function normalizeForSearch(text: string): string {
  return text.normalize('NFKC').toLowerCase().normalize('NFKC');
}

export function normalizeForSort(name: string): string {
  return Array.from(normalizeForSearch(name)).slice(0, SORTED_LENGTH).join('');
}

/** A LIKE pattern, with `!` as its escape character, that finds the text anywhere. */
export function createLikePattern(search: string): string {
  return `%${normalizeForSearch(search).replace(WILDCARD, '!$&')}%`;
}
