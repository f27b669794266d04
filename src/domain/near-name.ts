/** Owns which of several names somebody may have meant who wrote another. Letter case is no difference. */
import { closestMatch } from 'leven';

/** In UTF-16 code units: comparing two names costs as much as their lengths multiplied. */
const MAX_LENGTH = 64;
/** How many are compared: claims hold as many names as they like. */
const MAX_NAMES = 1_000;

/** The nearest one, if no more than about a third of the letters is otherwise. */
export function findNearName(name: string, known: readonly string[]): string | undefined {
  const maxDistance = Math.floor((name.length + 1) / 3);
  if (maxDistance === 0 || name.length > MAX_LENGTH) return undefined;
  const comparable = known.filter(({ length }) => length <= MAX_LENGTH).slice(0, MAX_NAMES);
  const folded = comparable.map((other) => other.toLowerCase());
  const near = closestMatch(name.toLowerCase(), folded, { maxDistance });
  return near === undefined ? undefined : comparable[folded.indexOf(near)];
}
