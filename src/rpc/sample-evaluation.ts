/** Owns how the evaluation of sample claims looks on the wire; the command line prints the same without a server. */
import type { MessageInitShape } from '@bufbuild/protobuf';

import type { EvaluateClaimsResponseSchema } from '../../gen/claimgate/v1/sso_configuration_pb.ts';
import { ClaimsExpressionError } from '../domain/claims-policy.ts';
import type { SampleEvaluation } from '../domain/evaluate-sample.ts';
import {
  writeExplanation,
  writeExpressionError,
  writeMappedAttributes,
  writeVerdict,
} from './explanation.ts';

export function writeSampleEvaluation({
  attributes,
  judged,
}: SampleEvaluation): MessageInitShape<typeof EvaluateClaimsResponseSchema> {
  const mapped = { attributes: writeMappedAttributes(attributes) };
  if (judged instanceof ClaimsExpressionError) {
    return { ...mapped, expressionError: writeExpressionError(judged) };
  }
  const { verdict, explanation } = judged;
  return { ...mapped, verdict: writeVerdict(verdict), explanation: writeExplanation(explanation) };
}
