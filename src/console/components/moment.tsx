/** Owns how moments are written: in the reader's own time zone and language. */
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { timestampDate } from '@bufbuild/protobuf/wkt';

const WITH_TIME = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const DATE_ALONE = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });

export function Moment({
  at,
  isDateAlone = false,
}: {
  readonly at: Timestamp | undefined;
  readonly isDateAlone?: boolean;
}) {
  if (at === undefined) return null;
  const date = timestampDate(at);
  return (
    <time dateTime={date.toISOString()} title={EXACT.format(date)}>
      {(isDateAlone ? DATE_ALONE : WITH_TIME).format(date)}
    </time>
  );
}
