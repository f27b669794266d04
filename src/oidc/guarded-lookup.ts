/**
 * Owns name resolution for outbound requests: one resolution for one connection, judged whole, and handed on as the
 * only addresses to connect to. A name that answers otherwise the next time (DNS rebinding) gains nothing.
 */
import { lookup } from 'node:dns/promises';
import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { GuardedFetchError } from './guarded-fetch-error.ts';
import { createAddressRefusal } from './outbound-url.ts';

/** All addresses of a name, IPv4 and IPv6. Rejects, or resolves to none, when there are none. */
export type ResolveAddresses = (hostname: string) => Promise<readonly LookupAddress[]>;

/** The system's resolver: the hosts file included, as for every other program of the machine. */
export const resolveWithSystem: ResolveAddresses = (hostname) => lookup(hostname, { all: true });

/** Why an address is refused; `undefined` when we may connect to it. */
export type JudgeAddress = (address: string) => string | undefined;

/** A `lookup` for `net.connect`. One refused address in the answer refuses the whole answer. */
export function createGuardedLookup(
  resolve: ResolveAddresses,
  judge: JudgeAddress,
): LookupFunction {
  return (hostname, options, callback) => {
    const answer = async (): Promise<void> => {
      const addresses = await resolveAndJudge(hostname, resolve, judge);
      // Out of the promise, so that what the callback throws is not taken for the resolver's failure.
      process.nextTick(() => {
        if (options.all === true) callback(null, [...addresses]);
        else callback(null, addresses[0].address, addresses[0].family);
      });
    };
    answer().catch((error: Error) => process.nextTick(() => callback(error, [])));
  };
}

type Addresses = readonly [LookupAddress, ...LookupAddress[]];

async function resolveAndJudge(
  hostname: string,
  resolve: ResolveAddresses,
  judge: JudgeAddress,
): Promise<Addresses> {
  const [first, ...others] = await resolve(hostname).catch(() => []);
  if (first === undefined) {
    throw new GuardedFetchError('name_not_found', `"${hostname}" does not resolve to an address.`);
  }
  const addresses: Addresses = [first, ...others];
  for (const { address } of addresses) {
    const refusal = judge(address);
    if (refusal !== undefined) throw createAddressRefusal(hostname, refusal);
  }
  return addresses;
}
