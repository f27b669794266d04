/** Serves `claimgate.v1.LoginAttemptService`. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';

import type {
  LoginAttemptSchema,
  LoginAttemptService,
} from '../../gen/claimgate/v1/login_attempt_pb.ts';
import { explainAttempts } from '../domain/explain-attempt.ts';
import type { VerdictExplanation } from '../domain/explain-verdict.ts';
import { listLoginAttempts } from '../domain/login-attempt.ts';
import type { LoginAttempt } from '../domain/login-attempt.ts';
import type { Environment } from '../domain/ports.ts';
import { readCaller } from './caller.ts';
import { createEnumReader } from './enum-reader.ts';
import { writeExplanation } from './explanation.ts';
import { LOGIN_OUTCOMES } from './login-outcome.ts';
import { readPageRequest, writePageToken } from './pagination.ts';

const readOutcome = createEnumReader(
  ['admitted', 'refused'],
  LOGIN_OUTCOMES,
  'ADMITTED or REFUSED',
);

export function createLoginAttemptService(
  env: Environment,
): ServiceImpl<typeof LoginAttemptService> {
  return {
    async listLoginAttempts({ organizationId, filter, pagination, explain }, context) {
      const query = {
        organizationId,
        ssoConfigurationId: filter?.ssoConfigurationId || undefined,
        outcome: filter?.outcome ? readOutcome(filter.outcome, 'filter.outcome') : undefined,
      };
      const list = ['login-attempts', query];
      const page = await listLoginAttempts(
        env,
        readCaller(context),
        query,
        readPageRequest(pagination, list),
      );
      // Whoever is shown the attempts is an admin of their organization.
      const explanations = explain ? await explainAttempts(env, page.rows) : undefined;
      return {
        loginAttempts: page.rows.map((attempt) =>
          writeLoginAttempt(attempt, explanations?.get(attempt.id)),
        ),
        pagination: writePageToken(page.next, list),
      };
    },
  };
}

function writeLoginAttempt(
  attempt: LoginAttempt,
  explanation: VerdictExplanation | undefined,
): MessageInitShape<typeof LoginAttemptSchema> {
  return {
    id: attempt.id,
    organizationId: attempt.organizationId,
    ssoConfigurationId: attempt.ssoConfigurationId,
    ssoConfigurationRevision: BigInt(attempt.revision),
    outcome: LOGIN_OUTCOMES[attempt.outcome],
    stage: attempt.stage,
    reason: attempt.reason ?? '',
    detail: attempt.detail,
    maskedEmail: attempt.maskedEmail,
    address: attempt.address,
    endedAt: timestampFromDate(attempt.at),
    ...(explanation && { explanation: writeExplanation(explanation) }),
  };
}
