/** Owns the id of the trace that a caller names (https://www.w3.org/TR/trace-context/ §3.2), which the log tells. */
import type { HttpRequest } from './exchange.ts';

/** Versions to come may add to it, and 255 is none (§3.2.2.1, §4.3). Ids of zeros are invalid. */
const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/;

/** The trace id in a `traceparent` header, or `undefined` when there is none that can be read. */
export function parseTraceId(traceparent: string): string | undefined {
  const [, version, traceId, rest] = TRACEPARENT.exec(traceparent) ?? [];
  return version === '00' && rest !== undefined ? undefined : traceId;
}

export function readTraceId({ headers }: HttpRequest): string | undefined {
  const { traceparent } = headers;
  return typeof traceparent === 'string' ? parseTraceId(traceparent) : undefined;
}
