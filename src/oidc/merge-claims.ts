/** Owns how the ID token's claims and userinfo's become one set. */

type Claims = Readonly<Record<string, unknown>>;

/** What a token says of itself and of the authentication (RFC 7519 §4.1, OpenID Connect Core §2, RFC 8176). */
const TOKEN_CLAIMS: ReadonlySet<string> = new Set([
  'iss',
  'sub',
  'aud',
  'azp',
  'exp',
  'iat',
  'nbf',
  'jti',
  'nonce',
  'auth_time',
  'acr',
  'amr',
  'sid',
  'at_hash',
  'c_hash',
  's_hash',
]);

/** Claims that are said of another claim (Core §5.1). Apart from it they vouch for something never vouched for. */
const VERIFIED_BY: readonly (readonly [claim: string, verified: string])[] = [
  ['email', 'email_verified'],
  ['phone_number', 'phone_number_verified'],
];

/**
 * Userinfo adds claims and has the last word on them, as it is the fresher and fuller source. What the token says of
 * itself is the token's alone, and each `…_verified` comes from where the value it vouches for comes from.
 */
export function mergeClaims(idToken: Claims, userinfo: Claims): Claims {
  const added = Object.entries(userinfo).filter(([name]) => !TOKEN_CLAIMS.has(name));
  const merged = new Map<string, unknown>([...Object.entries(idToken), ...added]);
  for (const [claim, verified] of VERIFIED_BY) {
    merged.delete(verified);
    const source = pickSource(claim, verified, idToken, userinfo);
    if (Object.hasOwn(source, verified)) merged.set(verified, source[verified]);
  }
  // Not a claim of anybody, but a trap for whoever copies the claims by assignment.
  merged.delete('__proto__');
  return Object.fromEntries(merged);
}

function pickSource(claim: string, verified: string, idToken: Claims, userinfo: Claims): Claims {
  if (!Object.hasOwn(userinfo, claim)) return Object.hasOwn(idToken, claim) ? idToken : userinfo;
  const isSame = idToken[claim] === userinfo[claim];
  return isSame && !Object.hasOwn(userinfo, verified) ? idToken : userinfo;
}
