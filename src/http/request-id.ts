/** Owns the id of a request, which its answer carries and the log names. */
import { randomUUID } from 'node:crypto';

import type { HttpRequest } from './exchange.ts';

/** A caller's own id is taken when it looks like one, so that a trace can go on through us. */
const REQUEST_ID = /^[\w.-]{8,64}$/;

const ids = new WeakMap<HttpRequest, string>();

/** The same for the same request, whoever asks. */
export function readRequestId(request: HttpRequest): string {
  const known = ids.get(request);
  if (known !== undefined) return known;
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
  ids.set(request, id);
  return id;
}
