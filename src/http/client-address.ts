/**
 * Owns whose network address a request comes from. `X-Forwarded-For` can be written by anybody, so it counts only as
 * far as proxies that the operator trusts have written it: from its end, up to the first address that is none of theirs.
 */
import ipaddr from 'ipaddr.js';

/** An address block, such as `10.0.0.0/8` or `::1/128`. */
export type AddressBlock = ReturnType<typeof ipaddr.parseCIDR>;

/** The block that a text stands for, a single address being one too; `undefined` when it is none. */
export function parseAddressBlock(text: string): AddressBlock | undefined {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  if (!ipaddr.isValid(text)) return undefined;
  const address = ipaddr.process(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

/** @param peer the connection's other end. */
export function readClientAddress(
  peer: string | undefined,
  forwardedFor: string | readonly string[] | undefined,
  trustedProxies: readonly AddressBlock[],
): string {
  let client = peer ?? '';
  const hops = [forwardedFor ?? []].flat().join(',').split(',');
  while (isTrusted(client, trustedProxies)) {
    const hop = hops.pop()?.trim() ?? '';
    if (!ipaddr.isValid(hop)) break;
    client = hop;
  }
  return ipaddr.isValid(client) ? ipaddr.process(client).toString() : '';
}

function isTrusted(client: string, trustedProxies: readonly AddressBlock[]): boolean {
  if (trustedProxies.length === 0 || !ipaddr.isValid(client)) return false;
  const address = ipaddr.process(client);
  return trustedProxies.some(
    ([range, bits]) => range.kind() === address.kind() && address.match(range, bits),
  );
}
