/**
 * The second, small composition root: it joins the domain's evaluator to the contract's messages for commands that need
 * no server. `main.ts` joins everything and opens a database; a rule in a pipeline needs neither. The command line
 * imports this as it imports `main.ts`, when a command asks for it, so that it otherwise knows gen and client alone.
 */
import { create } from '@bufbuild/protobuf';

import { EvaluateClaimsResponseSchema } from '../gen/claimgate/v1/sso_configuration_pb.ts';
import type { EvaluateClaimsResponse } from '../gen/claimgate/v1/sso_configuration_pb.ts';
import { ClaimgateError } from './client/claimgate-error.ts';
import { DomainError } from './domain/errors.ts';
import { evaluateSample } from './domain/evaluate-sample.ts';
import type { Sample } from './domain/evaluate-sample.ts';
import { writeSampleEvaluation } from './rpc/sample-evaluation.ts';

/** What EvaluateClaims answers. Fails with `ClaimgateError('invalid_argument')` for claims that are no JSON object. */
export function evaluateOffline(sample: Sample): EvaluateClaimsResponse {
  // As the server has it: times in claims rules are told in UTC, wherever the machine stands.
  process.env['TZ'] = 'UTC';
  try {
    return create(EvaluateClaimsResponseSchema, writeSampleEvaluation(evaluateSample(sample)));
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const { violations } = error;
    throw new ClaimgateError('invalid_argument', error.message, { violations });
  }
}
