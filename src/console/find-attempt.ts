/**
 * Owns the search for one login attempt by the id that a person was shown. The server lists attempts and finds none by
 * id, so the list is walked, newest first, as far back as an attempt of this id can be.
 */
import { timestampMs } from '@bufbuild/protobuf/wkt';

import type { LoginAttempt } from '../../gen/claimgate/v1/login_attempt_pb.ts';
import { client } from './transport.ts';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const PAGE_SIZE = 100;

/** Clocks of several servers differ by no more. */
const SLACK_MS = 60_000;

export function isAttemptId(id: string): boolean {
  return UUID_V7.test(id.toLowerCase());
}

/** When the login of this id began: the first 48 bits (RFC 9562 §5.7). */
function readStart(id: string): number {
  return Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
}

/**
 * The attempt, explained; `undefined` where the organization has none of this id, or none any more.
 *
 * @param tell is told how many were looked at, after each hundred
 */
export async function findAttempt(
  organizationId: string,
  wanted: string,
  { signal, tell }: { readonly signal: AbortSignal; readonly tell: (looked: number) => void },
): Promise<LoginAttempt | undefined> {
  const id = wanted.toLowerCase();
  if (!isAttemptId(id)) return undefined;
  const earliest = readStart(id) - SLACK_MS;
  let token = '';
  let looked = 0;
  do {
    const request = { organizationId, pagination: { pageSize: PAGE_SIZE, token } };
    const page = await client.loginAttempts.listLoginAttempts(request, { signal });
    if (page.loginAttempts.some((attempt) => attempt.id === id)) {
      const explained = await client.loginAttempts.listLoginAttempts(
        { ...request, explain: true },
        { signal },
      );
      return explained.loginAttempts.find((attempt) => attempt.id === id);
    }
    looked += page.loginAttempts.length;
    tell(looked);
    // An attempt ends after it began, and the list is in the order of the ends.
    const endedAt = page.loginAttempts.at(-1)?.endedAt;
    if (endedAt === undefined || timestampMs(endedAt) < earliest) return undefined;
    token = page.pagination?.nextToken ?? '';
  } while (token !== '');
  return undefined;
}
