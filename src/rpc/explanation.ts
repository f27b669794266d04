/** Owns how verdicts, explanations and mapped attributes look on the wire. */
import type { MessageInitShape } from '@bufbuild/protobuf';

import type {
  ClaimsVerdictSchema,
  ExpressionErrorSchema,
  MappedAttributesSchema,
  VerdictExplanationSchema,
} from '../../gen/claimgate/v1/explanation_pb.ts';
import type { MappedAttributes } from '../domain/claims-mapping.ts';
import type { ClaimsExpressionError, ClaimsVerdict } from '../domain/claims-policy.ts';
import type { VerdictExplanation } from '../domain/explain-verdict.ts';

export function writeVerdict(verdict: ClaimsVerdict): MessageInitShape<typeof ClaimsVerdictSchema> {
  if (verdict.allowed) return { allowed: true };
  return { allowed: false, reason: verdict.reason, detail: verdict.detail };
}

export function writeExplanation({
  summary,
  causes,
  missingClaims,
}: VerdictExplanation): MessageInitShape<typeof VerdictExplanationSchema> {
  return {
    summary,
    causes: causes.map((cause) => ({ ...cause, seen: [...cause.seen] })),
    missingClaims: [...missingClaims],
  };
}

export function writeExpressionError({
  line,
  column,
  message,
}: ClaimsExpressionError): MessageInitShape<typeof ExpressionErrorSchema> {
  return { line, column, message };
}

export function writeMappedAttributes({
  email,
  name,
  picture,
  groups,
  emailVerified,
}: MappedAttributes): MessageInitShape<typeof MappedAttributesSchema> {
  return {
    email: email ?? '',
    name: name ?? '',
    picture: picture ?? '',
    groups: [...groups],
    ...(emailVerified !== undefined && { emailVerified }),
  };
}
