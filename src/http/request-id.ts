/** Owns the id of a request, which its answer carries and the log names. */
import { randomUUID } from 'node:crypto';

import type { HttpRequest } from './exchange.ts';
import { notesOf } from './request-notes.ts';

/** A caller's own id is taken when it looks like one, so that a trace can go on through us. */
const REQUEST_ID = /^[\w.-]{8,64}$/;

/** The same for the same request, whoever asks. */
export function readRequestId(request: HttpRequest): string {
  return (notesOf(request).id ??= chooseId(request));
}

function chooseId(request: HttpRequest): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}
