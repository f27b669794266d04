/** Owns how an identity provider's own words about an error are quoted: short, printable, and without anything secret. */

const MAX_CODE_LENGTH = 64;
const MAX_DESCRIPTION_LENGTH = 200;
/** The shape of every error code that is registered for OAuth. */
const CODE = /^[a-z_]+$/;
/** RFC 6749 §5.2: what `error` and `error_description` may consist of. */
const NOT_PRINTABLE = /[^\x20-\x21\x23-\x5b\x5d-\x7e]+/g;
/** As long as tokens, codes and secrets are, and longer than words. */
const SECRET_LOOKING = /[\w.~+/=-]{20,}/g;

/**
 * Such as `invalid_client: Client authentication failed.`
 *
 * @param secrets what was sent, and so could be quoted back.
 */
export function describeProviderError(
  error: string,
  description: string | null | undefined,
  secrets: readonly string[] = [],
): string {
  const isCode = error.length <= MAX_CODE_LENGTH && CODE.test(error);
  const code = isCode ? error : clean(error, MAX_CODE_LENGTH, secrets);
  if (description === null || description === undefined || description === '') return code;
  return `${code}: ${clean(description, MAX_DESCRIPTION_LENGTH, secrets)}`;
}

function clean(text: string, maxLength: number, secrets: readonly string[]): string {
  let harmless = text;
  for (const secret of secrets) {
    if (secret !== '') harmless = harmless.replaceAll(secret, '…');
  }
  harmless = harmless.slice(0, 4 * maxLength).replace(SECRET_LOOKING, '…');
  harmless = harmless.replace(NOT_PRINTABLE, (run) => (run.includes('…') ? '…' : ' ')).trim();
  return harmless.length > maxLength ? `${harmless.slice(0, maxLength)}…` : harmless;
}
