/** Owns what an email domain is: its syntax, its normal form, and the domain of an email address. */

/**
 * Letters, digits and hyphens in labels of at most 63 characters, at least two labels, 253 characters in all
 * (RFC 1035 §2.3.1, RFC 1123 §2.1). Names in other scripts are written in their ASCII form (RFC 5890, `xn--…`).
 */
const EMAIL_DOMAIN =
  /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})$/i;

/**
 * The form in which domains are compared and looked up, or `undefined` when it is no domain. Only ASCII is taken, and
 * judged before it is lower-cased: `\u212A` (the Kelvin sign) lower-cases to `k`, and is none.
 */
export function normalizeEmailDomain(domain: string): string | undefined {
  const fits = domain.length >= 4 && domain.length <= 253 && EMAIL_DOMAIN.test(domain);
  return fits ? domain.toLowerCase() : undefined;
}

/** In characters: a mail server takes no longer ones (RFC 5321 §4.5.3.1.3), and neither do indexes. */
export const MAX_EMAIL_LENGTH = 254;

/** White space, and characters that control or that nobody sees: with them, one address looks like another. */
const UNSEEN = /[\s\p{C}]/u;

/** The normalized domain of an address, or `undefined` when it is none. Quoted local parts are not taken. */
export function readEmailDomain(email: string): string | undefined {
  if (email.length > MAX_EMAIL_LENGTH) return undefined;
  const parts = email.split('@');
  const [local, domain] = parts;
  if (parts.length !== 2 || local === undefined || domain === undefined) return undefined;
  if (local === '' || UNSEEN.test(local)) return undefined;
  return normalizeEmailDomain(domain);
}

/** The form in which addresses are compared. Only ASCII letters change: no two addresses become one that are not. */
export function normalizeEmail(email: string): string {
  return email.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}
