/** Serves `claimgate.v1.LoginAttemptService`. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';

import { KeptClaimsState } from '../../gen/claimgate/v1/login_attempt_pb.ts';
import type {
  KeptClaimsSchema,
  LoginAttemptSchema,
  LoginAttemptService,
} from '../../gen/claimgate/v1/login_attempt_pb.ts';
import { explainAttempts } from '../domain/explain-attempt.ts';
import type { VerdictExplanation } from '../domain/explain-verdict.ts';
import { getLoginAttempt } from '../domain/kept-claims.ts';
import type { KeptClaims } from '../domain/kept-claims.ts';
import { listLoginAttempts, maskEmail } from '../domain/login-attempt.ts';
import type { ListedLoginAttempt } from '../domain/login-attempt.ts';
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

const CLAIMS_STATES = {
  kept: KeptClaimsState.KEPT,
  none_came: KeptClaimsState.NONE_CAME,
  not_kept: KeptClaimsState.NOT_KEPT,
  unreadable: KeptClaimsState.UNREADABLE,
} as const;

export function createLoginAttemptService(
  env: Environment,
): ServiceImpl<typeof LoginAttemptService> {
  return {
    async listLoginAttempts({ organizationId, filter, pagination, explain }, context) {
      const query = {
        organizationId,
        ssoConfigurationId: filter?.ssoConfigurationId || undefined,
        outcome: filter?.outcome ? readOutcome(filter.outcome, 'filter.outcome') : undefined,
        maskedEmail: filter?.email ? maskEmail(filter.email) : undefined,
        claimsKept: filter?.claimsKept || undefined,
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

    async getLoginAttempt({ loginAttemptId }, context) {
      const shown = await getLoginAttempt(env, readCaller(context), loginAttemptId);
      return {
        loginAttempt: writeLoginAttempt(shown.attempt, shown.explanation),
        claims: writeKeptClaims(shown.kept),
      };
    },
  };
}

function writeKeptClaims(kept: KeptClaims): MessageInitShape<typeof KeptClaimsSchema> {
  const state = CLAIMS_STATES[kept.state];
  return kept.state === 'kept'
    ? { state, json: JSON.stringify(kept.claims) }
    : { state, detail: kept.detail };
}

function writeLoginAttempt(
  attempt: ListedLoginAttempt,
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
    claimsKept: attempt.claimsKept,
    ...(explanation && { explanation: writeExplanation(explanation) }),
  };
}
