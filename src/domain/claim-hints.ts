/** Owns what to do about a claim that a rule needs and that did not come: which scope usually yields it. */
import { findNearName } from './near-name.ts';

export interface MissingClaim {
  /** As the rule reaches for it, such as `groups` or `address.country`. */
  readonly claim: string;
  /** What to do, in a sentence. */
  readonly hint: string;
}

/** OpenID Connect Core §5.4: the claims that a scope asks for. */
const SCOPES: Readonly<Record<string, readonly string[]>> = {
  email: ['email', 'email_verified'],
  profile: [
    'name',
    'family_name',
    'given_name',
    'middle_name',
    'nickname',
    'preferred_username',
    'profile',
    'picture',
    'website',
    'gender',
    'birthdate',
    'zoneinfo',
    'locale',
    'updated_at',
  ],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified'],
};

/** No standard says how to get these. Most identity providers call them one of these names. */
const GROUP_CLAIMS: ReadonlySet<string> = new Set(['groups', 'roles', 'group', 'role']);

/** The scope that usually yields a claim, by its first name. */
export function findScope(claim: string): string | undefined {
  const found = Object.entries(SCOPES).find(([, claims]) => claims.includes(claim));
  if (found !== undefined) return found[0];
  return GROUP_CLAIMS.has(claim) ? 'groups' : undefined;
}

/**
 * What to do about a missing claim.
 *
 * @param path the names from the claims down to it
 * @param present the names that are there where it was looked for
 */
export function hintAtClaim(path: readonly string[], present: readonly string[]): MissingClaim {
  const [first = ''] = path;
  const claim = path.join('.');
  const name = path.at(-1) ?? '';
  const similar = present.find((other) => fold(other) === fold(name));
  if (similar !== undefined) {
    return {
      claim,
      hint: `There is a claim "${similar}": names must be the same in every letter.`,
    };
  }
  const isStandard =
    path.length === 1 && findScope(first) !== undefined && !GROUP_CLAIMS.has(first);
  const near = isStandard ? undefined : findNearName(name, present);
  if (near !== undefined) return { claim, hint: `There is a claim "${near}": did you mean that?` };
  if (path.length > 1) {
    return {
      claim,
      hint: `The claim "${path.slice(0, -1).join('.')}" came without "${name}". Ask whoever runs the identity provider what it holds.`,
    };
  }
  if (GROUP_CLAIMS.has(first)) {
    return {
      claim,
      hint: `No standard scope yields it. Some identity providers send it with the scope "groups" in additional_scopes; others need a "${first}" claim to be added to the application there.`,
    };
  }
  const scope = findScope(first);
  if (scope === 'email' || scope === 'profile') {
    return {
      claim,
      hint: `The scope "${scope}" usually yields it and is always asked for: allow it for this application at the identity provider, or check that the person has one.`,
    };
  }
  if (scope !== undefined) {
    return {
      claim,
      hint: `Add the scope "${scope}", which usually yields it, to additional_scopes.`,
    };
  }
  return {
    claim,
    hint: 'It is no standard claim. Have it added to the ID token or to userinfo at the identity provider, and check its spelling.',
  };
}

/** Spellings that people mix up. */
function fold(name: string): string {
  return name.replaceAll(/[-_ ]/g, '').toLowerCase();
}
