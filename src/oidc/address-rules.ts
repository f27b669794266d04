/**
 * Owns which addresses we connect to when a customer's setting says where. It refuses to own names: whoever resolves
 * one asks here about every address of the answer.
 *
 * The rule names what is allowed, not what is refused: global unicast addresses (IANA's special-purpose registries,
 * RFC 6890), nothing that carries another address inside, and no cloud's metadata service.
 */
import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Why an address is refused. */
export type AddressRefusal =
  | 'unspecified'
  | 'loopback'
  | 'private'
  | 'link-local'
  | 'carrier-grade NAT'
  | 'multicast'
  | 'broadcast'
  | 'metadata service'
  | 'embeds another address'
  | 'reserved'
  | 'not an address';

export interface AddressRules {
  /** Accept loopback, private, unique local and carrier-grade NAT addresses, all others still refused. */
  readonly allowPrivate: boolean;
}

/**
 * Metadata and control services of clouds. Most lie in ranges that are refused anyway; 168.63.129.16 looks public, and
 * the others must stay refused where private addresses are allowed.
 */
const METADATA_SERVICES: ReadonlySet<string> = new Set([
  '169.254.169.254',
  '169.254.170.2',
  '168.63.129.16',
  '100.100.100.200',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
]);

const REFUSED_RANGES: Readonly<Record<string, AddressRefusal>> = {
  unspecified: 'unspecified',
  loopback: 'loopback',
  private: 'private',
  uniqueLocal: 'private',
  deprecatedSiteLocal: 'private',
  linkLocal: 'link-local',
  carrierGradeNat: 'carrier-grade NAT',
  multicast: 'multicast',
  broadcast: 'broadcast',
  // RFC 4291 §2.5.5, RFC 7915, RFC 6052 and RFC 8215 (NAT64), RFC 3056, RFC 4380: the address within is what answers.
  ipv4Mapped: 'embeds another address',
  rfc6145: 'embeds another address',
  rfc6052: 'embeds another address',
  '6to4': 'embeds another address',
  teredo: 'embeds another address',
};

const RELAXED: ReadonlySet<AddressRefusal> = new Set(['loopback', 'private', 'carrier-grade NAT']);

/** RFC 4291 §2.4: what IANA has given out as global unicast so far. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** Why this address is refused; `undefined` when we may connect to it. */
export function judgeAddress(address: string, rules: AddressRules): AddressRefusal | undefined {
  const refusal = classifyAddress(address);
  if (refusal !== undefined && rules.allowPrivate && RELAXED.has(refusal)) return undefined;
  return refusal;
}

function classifyAddress(address: string): AddressRefusal | undefined {
  // Resolvers answer in the plain spellings. Any other spelling means something else to another parser.
  if (!isIPv4(address) && !isIPv6(address)) return 'not an address';
  // Without the zone (RFC 4007 §11), which says by which interface and not to whom.
  const parsed = ipaddr.parse(address.split('%')[0] ?? address);
  if (METADATA_SERVICES.has(parsed.toString())) return 'metadata service';
  const range = parsed.range();
  if (range !== 'unicast') return REFUSED_RANGES[range] ?? 'reserved';
  if (parsed instanceof ipaddr.IPv6 && !parsed.match(GLOBAL_UNICAST)) return 'reserved';
  return undefined;
}

/**
 * The address that a URL's host is, without brackets; `undefined` when the host is a name.
 *
 * The URL parser (WHATWG URL §3.5) has already turned `127.1`, `0x7f000001` and `017700000001` into `127.0.0.1`. Dots
 * at the end are taken off because resolvers take them off.
 */
export function readAddressLiteral(hostname: string): string | undefined {
  const bare = hostname.replace(/(?<!\.)\.+$/, '');
  const address = bare.startsWith('[') && bare.endsWith(']') ? bare.slice(1, -1) : bare;
  return isIPv4(address) || isIPv6(address) ? address : undefined;
}
