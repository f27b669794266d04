/** Owns the rules of an SSO configuration's fields that the schema's own rules cannot state. */
import { ClaimsExpressionError, compileClaimsExpression } from './claims-policy.ts';
import { normalizeEmailDomain } from './email-domain.ts';
import { createViolationError } from './errors.ts';
import type { FieldViolation } from './errors.ts';
import type { SsoConfiguration, SsoConfigurationChange } from './sso-configuration.ts';

/** scope-token of RFC 6749 §3.3. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** At most so many mappings, with names of at most so many characters. */
const MAPPING_LIMITS = { entries: 64, nameLength: 128, claimLength: 512 } as const;

type Violate = (field: string, rule: string, message: string) => void;

/**
 * The list that `email_domain` and `email_domains` stand for together: the single one first, the list's own
 * duplicate of it left out.
 */
export function joinEmailDomains(
  single: string | undefined,
  list: readonly string[],
): readonly string[] {
  if (single === undefined || single === '') return list;
  const first = single.toLowerCase();
  return [single, ...list.filter((domain) => domain.toLowerCase() !== first)];
}

/**
 * Fails with `invalid_argument` that names every broken rule.
 *
 * @param given what the caller sent; only that is checked, so that a configuration that was valid when it was made
 *   can still be switched off after a rule has become stricter.
 */
export function checkSsoConfiguration(
  configuration: Pick<SsoConfiguration, 'emailDomains' | 'claims'>,
  given: Partial<SsoConfigurationChange>,
  options: { readonly allowHttpIssuers: boolean; readonly scopesField: string },
): void {
  const violations: FieldViolation[] = [];
  const violate: Violate = (field, rule, message) => violations.push({ field, rule, message });
  if (given.issuerUrl !== undefined)
    checkIssuerUrl(given.issuerUrl, options.allowHttpIssuers, violate);
  if (given.emailDomain !== undefined || given.emailDomains?.length) {
    checkEmailDomains(configuration.emailDomains, given.emailDomain, violate);
  }
  if (given.additionalScopes !== undefined)
    checkScopes(given.additionalScopes, options.scopesField, violate);
  if (given.claimsExpression !== undefined) checkExpression(given.claimsExpression, violate);
  if (Object.keys(given.claims ?? {}).length > 0) checkMapping(configuration.claims, violate);
  if (violations.length > 0) throw createViolationError(violations);
}

/** OpenID Connect Core §2: a URL with the https scheme, without query and fragment. */
function checkIssuerUrl(issuerUrl: string, allowHttp: boolean, violate: Violate): void {
  const field = 'issuer_url';
  if (!URL.canParse(issuerUrl))
    return violate(field, 'issuer_url.format', 'must be an absolute URL');
  const url = new URL(issuerUrl);
  if (url.protocol !== 'https:' && !(allowHttp && url.protocol === 'http:')) {
    violate(field, 'issuer_url.scheme', 'must use https');
  }
  if (issuerUrl.includes('?')) violate(field, 'issuer_url.query', 'must not have a query');
  if (issuerUrl.includes('#')) violate(field, 'issuer_url.fragment', 'must not have a fragment');
  if (url.username !== '' || url.password !== '') {
    violate(field, 'issuer_url.userinfo', 'must not hold a user name or password');
  }
}

/** A configuration has at most so many; people choose among them by hand. */
const MAX_EMAIL_DOMAINS = 100;

function checkEmailDomains(
  domains: readonly string[],
  single: string | undefined,
  violate: Violate,
): void {
  if (domains.length > MAX_EMAIL_DOMAINS) {
    return violate(
      'email_domains',
      'email_domains.max',
      `must have at most ${MAX_EMAIL_DOMAINS} domains`,
    );
  }
  const seen = new Set<string>();
  for (const [index, domain] of domains.entries()) {
    const field = index === 0 && domain === single ? 'email_domain' : 'email_domains';
    const normal = normalizeEmailDomain(domain);
    if (normal === undefined) {
      violate(field, 'email_domain.format', `"${domain}" is not a domain name such as example.com`);
    } else if (seen.has(normal)) {
      violate(
        field,
        'email_domain.unique',
        `"${domain}" is given twice; case does not distinguish domains`,
      );
    } else {
      seen.add(normal);
    }
  }
}

function checkScopes(scopes: readonly string[], field: string, violate: Violate): void {
  for (const [index, scope] of scopes.entries()) {
    if (SCOPE_TOKEN.test(scope)) continue;
    violate(
      `${field}[${index}]`,
      'scope.format',
      'must be printable ASCII without spaces, quotes and backslashes (RFC 6749 §3.3)',
    );
  }
}

function checkExpression(expression: string, violate: Violate): void {
  if (expression === '') return;
  try {
    compileClaimsExpression(expression);
  } catch (error) {
    if (!(error instanceof ClaimsExpressionError)) throw error;
    violate(
      'claims_expression',
      'claims_expression.compile',
      `line ${error.line}, column ${error.column}: ${error.message}`,
    );
  }
}

function checkMapping(claims: Readonly<Record<string, string>>, violate: Violate): void {
  const entries = Object.entries(claims);
  if (entries.length > MAPPING_LIMITS.entries) {
    violate('claims', 'claims.entries', `must have at most ${MAPPING_LIMITS.entries} entries`);
  }
  for (const [name, claim] of entries) {
    if (
      name === '' ||
      name.length > MAPPING_LIMITS.nameLength ||
      claim.length > MAPPING_LIMITS.claimLength
    ) {
      violate(
        'claims',
        'claims.length',
        `names must have 1 to ${MAPPING_LIMITS.nameLength} characters and claims at most ${MAPPING_LIMITS.claimLength}`,
      );
      return;
    }
  }
}
