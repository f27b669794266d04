/** Owns keeping from the caller what is for the log alone. */
import type { ConnectError, ContextValues } from '@connectrpc/connect';

import { causeKey, requestIdKey } from './caller.ts';
import { describeError, isUnforeseen } from './errors.ts';

/** What the caller is told. Why is remembered with the call when it is a failing of ours. */
export function refuseCall(values: ContextValues, reason: unknown): ConnectError {
  if (isUnforeseen(reason)) values.set(causeKey, { reason });
  return describeError(reason, values.get(requestIdKey));
}
