/** Owns what an id of a login attempt looks like, as a person reads it from the page that refused and writes it down. */

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** As the server writes it; `undefined` for what is none. */
export function readAttemptId(text: string): string | undefined {
  const id = text.trim().toLowerCase();
  return UUID.test(id) ? id : undefined;
}
