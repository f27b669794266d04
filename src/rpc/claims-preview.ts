/** Owns how a preview looks on the wire: as an answer, and as the detail of an error. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { MessageInitShape } from '@bufbuild/protobuf';

import type {
  PreviewClaimsExpressionResponseSchema,
  PreviewedPersonSchema,
} from '../../gen/claimgate/v1/sso_configuration_pb.ts';
import type { ClaimsPreview, PreviewedPerson } from '../domain/claims-preview.ts';
import { writeExplanation } from './explanation.ts';
import { LOGIN_OUTCOMES } from './login-outcome.ts';

export function writePreview({
  shutOut,
  letIn,
  ...counts
}: ClaimsPreview): MessageInitShape<typeof PreviewClaimsExpressionResponseSchema> {
  return { ...counts, shutOut: shutOut.map(writePerson), letIn: letIn.map(writePerson) };
}

function writePerson({
  attempt,
  reason,
  detail,
  explanation,
}: PreviewedPerson): MessageInitShape<typeof PreviewedPersonSchema> {
  return {
    loginAttemptId: attempt.id,
    maskedEmail: attempt.maskedEmail,
    outcome: LOGIN_OUTCOMES[attempt.outcome],
    endedAt: timestampFromDate(attempt.at),
    reason,
    detail,
    ...(explanation && { explanation: writeExplanation(explanation) }),
  };
}
