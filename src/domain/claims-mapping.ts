/** Owns the way from an identity provider's claims to our attributes of a person. Who may come in is not its business. */

import { MAX_EMAIL_LENGTH } from './email-domain.ts';

/** What we know of a person by name. */
export const ATTRIBUTES = ['email', 'name', 'picture', 'groups'] as const;

export type Attribute = (typeof ATTRIBUTES)[number];

export interface MappedAttributes {
  readonly email: string | undefined;
  readonly name: string | undefined;
  /** An https URL. */
  readonly picture: string | undefined;
  readonly groups: readonly string[];
  /**
   * What the identity provider says of the email: `undefined` when it says nothing, also when the email is mapped from
   * another claim than `email`, because `email_verified` speaks of that one alone (OpenID Connect Core §5.1).
   */
  readonly emailVerified: boolean | undefined;
}

type Claims = Readonly<Record<string, unknown>>;

const LIMITS = { name: 256, picture: 2048, groups: 1000, group: 256 } as const;

/** Reads our attributes from the claims. What is absent or of another type is `undefined`, or an empty list. */
export function mapClaims(
  mapping: Readonly<Record<string, string>>,
  claims: Claims,
): MappedAttributes {
  const read = (attribute: Attribute) => readClaim(claims, selectClaim(mapping, attribute));
  return {
    email: readEmail(read('email')),
    name: readText(read('name'), LIMITS.name),
    picture: readPicture(read('picture')),
    groups: readGroups(read('groups')),
    emailVerified:
      selectClaim(mapping, 'email') === 'email'
        ? readVerified(claims['email_verified'])
        : undefined,
  };
}

/** The claim that an attribute comes from: the mapped one, else the standard name. */
export function selectClaim(
  mapping: Readonly<Record<string, string>>,
  attribute: Attribute,
): string {
  return Object.hasOwn(mapping, attribute) ? (mapping[attribute] ?? attribute) : attribute;
}

/**
 * The claim that a path names: a JSON pointer when it begins with a slash (RFC 6901); else the claim of exactly this
 * name, such as `https://example.com/roles`; else a dotted path into nested claims, such as `address.country`.
 */
export function readClaim(claims: Claims, path: string): unknown {
  const { name, keys } = parseClaimPath(path);
  if (name !== undefined && Object.hasOwn(claims, name)) return claims[name];
  return keys.reduce(readMember, claims);
}

/** The claim that a path begins in, as far as that can be told without claims: a name that is a URL is one claim. */
export function readTopName(path: string): string {
  const { name, keys } = parseClaimPath(path);
  return name?.includes('://') === true ? name : (keys[0] ?? path);
}

interface ClaimPath {
  /** The whole as the name of a claim, which comes first. */
  readonly name: string | undefined;
  /** The way into nested claims. */
  readonly keys: readonly string[];
}

function parseClaimPath(path: string): ClaimPath {
  if (!path.startsWith('/')) return { name: path, keys: path.split('.') };
  const unescape = (key: string) => key.replaceAll('~1', '/').replaceAll('~0', '~');
  return { name: undefined, keys: path.slice(1).split('/').map(unescape) };
}

function readMember(value: unknown, key: string): unknown {
  if (Array.isArray(value))
    return /^(?:0|[1-9]\d{0,5})$/.test(key) ? value[Number(key)] : undefined;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return Object.getOwnPropertyDescriptor(value, key)?.value;
}

/** Text with U+0000 counts as none: PostgreSQL cannot store it. */
function readText(value: unknown, maxLength: number): string | undefined {
  if (typeof value !== 'string' || value === '' || value.includes('\0')) return undefined;
  return value.length <= maxLength ? value : undefined;
}

/** Cut where it is too long to be one, so that it is refused as what it is and no more of it is kept. */
function readEmail(value: unknown): string | undefined {
  return readText(value, Infinity)
    ?.trim()
    .slice(0, MAX_EMAIL_LENGTH + 1);
}

function readPicture(value: unknown): string | undefined {
  const picture = readText(value, LIMITS.picture);
  if (picture === undefined || !URL.canParse(picture)) return undefined;
  return new URL(picture).protocol === 'https:' ? picture : undefined;
}

/** A single group may come as a string. */
function readGroups(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const groups = list
    .map((group) => readText(group, LIMITS.group))
    .filter((group) => group !== undefined);
  return groups.slice(0, LIMITS.groups);
}

/** Some identity providers send the words instead of the values. Anything else than true is not verified. */
function readVerified(value: unknown): boolean | undefined {
  return value === undefined || value === null ? undefined : value === true || value === 'true';
}
