/** Owns the reading of what the two services of the audit log filter by. */
import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { Timestamp } from '@bufbuild/protobuf/wkt';

import { createViolationError } from '../domain/errors.ts';

/** Ids are stored in lower case. */
export function readIds(ids: readonly string[]): readonly string[] | undefined {
  return ids.length === 0 ? undefined : [...new Set(ids.map((id) => id.toLowerCase()))];
}

/** To the millisecond. */
export function readTime(time: Timestamp | undefined, field: string): Date | undefined {
  if (time === undefined) return undefined;
  const date = timestampDate(time);
  if (Number.isFinite(date.getTime())) return date;
  const message = 'must be a time within the years that a timestamp has';
  throw createViolationError([{ field, rule: 'timestamp', message }]);
}
