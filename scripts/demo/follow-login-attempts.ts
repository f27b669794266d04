/** Owns telling of login attempts as they happen: it asks again and again, as any client of the API could. */
import { setTimeout as wait } from 'node:timers/promises';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { Client } from '@connectrpc/connect';

import { LoginOutcome } from '../../gen/claimgate/v1/login_attempt_pb.ts';
import type { LoginAttempt, LoginAttemptService } from '../../gen/claimgate/v1/login_attempt_pb.ts';

const INTERVAL_MS = 500;

/** Tells of each attempt once, the oldest first, until the signal. */
export async function followLoginAttempts(options: {
  readonly client: Client<typeof LoginAttemptService>;
  readonly organizationId: string;
  readonly tell: (attempt: LoginAttempt) => void;
  /** A call that failed; the next one may do better. */
  readonly tellError: (error: unknown) => void;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { client, organizationId, tell, tellError, signal } = options;
  const told = new Set<string>();
  const request = { organizationId, pagination: { pageSize: 100 } };
  while (!signal.aborted) {
    try {
      const { loginAttempts } = await client.listLoginAttempts(request, { signal });
      for (const attempt of loginAttempts.toReversed()) {
        if (told.has(attempt.id)) continue;
        told.add(attempt.id);
        tell(attempt);
      }
      await wait(INTERVAL_MS, undefined, { signal });
    } catch (error) {
      if (signal.aborted) return;
      tellError(error);
      await wait(INTERVAL_MS);
    }
  }
}

/** One line. @param timeZone such as `Europe/Berlin` */
export function describeLoginAttempt(attempt: LoginAttempt, timeZone: string): string {
  const { id, outcome, stage, reason, detail, maskedEmail, endedAt } = attempt;
  const time =
    endedAt === undefined
      ? '--:--:--'
      : timestampDate(endedAt).toLocaleTimeString('en-GB', { timeZone });
  const who = maskedEmail === '' ? 'somebody' : maskedEmail;
  return outcome === LoginOutcome.ADMITTED
    ? `${time}  admitted  ${who}`
    : `${time}  refused   ${who}  ${stage}/${reason}: ${detail} (attempt ${id})`;
}
