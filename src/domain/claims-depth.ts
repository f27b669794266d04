/**
 * Owns how deep claims may nest to be kept or shown. Whatever walks them walks down by calls, of which there is an end:
 * 10 KB of userinfo can nest 5,000 deep. It refuses to own what a rule may be asked about (`claims-policy-claims.ts`),
 * which is less.
 */

/** Values in values. */
const MAX_DEPTH = 100;

/** Whether JSON can be written again, by anybody, with calls to spare. */
export function isWritable(value: unknown, depth = MAX_DEPTH): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((within) => isWritable(within, depth - 1));
}
