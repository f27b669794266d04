/** Owns how the outcome of a login looks on the wire. */
import { LoginOutcome } from '../../gen/claimgate/v1/login_attempt_pb.ts';

export const LOGIN_OUTCOMES = {
  admitted: LoginOutcome.ADMITTED,
  refused: LoginOutcome.REFUSED,
} as const;
