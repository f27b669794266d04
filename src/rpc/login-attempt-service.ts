/** Serves `claimgate.v1.LoginAttemptService`. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';

import { LoginOutcome } from '../../gen/claimgate/v1/login_attempt_pb.ts';
import type {
  LoginAttemptSchema,
  LoginAttemptService,
} from '../../gen/claimgate/v1/login_attempt_pb.ts';
import { listLoginAttempts } from '../domain/login-attempt.ts';
import type { LoginAttempt } from '../domain/login-attempt.ts';
import type { Environment } from '../domain/ports.ts';
import { readCaller } from './caller.ts';
import { createEnumReader } from './enum-reader.ts';
import { readPageRequest, writePageToken } from './pagination.ts';

const OUTCOMES = { admitted: LoginOutcome.ADMITTED, refused: LoginOutcome.REFUSED } as const;

const readOutcome = createEnumReader(['admitted', 'refused'], OUTCOMES, 'ADMITTED or REFUSED');

export function createLoginAttemptService(
  env: Environment,
): ServiceImpl<typeof LoginAttemptService> {
  return {
    async listLoginAttempts({ organizationId, filter, pagination }, context) {
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
      return {
        loginAttempts: page.rows.map(writeLoginAttempt),
        pagination: writePageToken(page.next, list),
      };
    },
  };
}

function writeLoginAttempt(attempt: LoginAttempt): MessageInitShape<typeof LoginAttemptSchema> {
  return {
    id: attempt.id,
    organizationId: attempt.organizationId,
    ssoConfigurationId: attempt.ssoConfigurationId,
    ssoConfigurationRevision: BigInt(attempt.revision),
    outcome: OUTCOMES[attempt.outcome],
    stage: attempt.stage,
    reason: attempt.reason ?? '',
    detail: attempt.detail,
    maskedEmail: attempt.maskedEmail,
    address: attempt.address,
    endedAt: timestampFromDate(attempt.at),
  };
}
