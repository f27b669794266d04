/** Serves `claimgate.v1.SSOConfigurationService`. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';

import { CheckOutcome, TestLoginState } from '../../gen/claimgate/v1/sso_configuration_pb.ts';
import type {
  SSOConfigurationDraft,
  SSOConfigurationService,
  TestLoginReportSchema,
} from '../../gen/claimgate/v1/sso_configuration_pb.ts';
import { checkConfiguration } from '../domain/check-configuration.ts';
import { previewClaimsExpression } from '../domain/claims-preview.ts';
import { evaluateSampleFor } from '../domain/evaluate-sample.ts';
import type { Environment } from '../domain/ports.ts';
import type { TrialTarget } from '../domain/sso-draft.ts';
import { getTestLogin, startTestLogin } from '../domain/test-login.ts';
import type { TestLoginReport } from '../domain/test-login-report.ts';
import { readCaller } from './caller.ts';
import { writePreview } from './claims-preview.ts';
import { writeExplanation, writeVerdict } from './explanation.ts';
import { writeSampleEvaluation } from './sample-evaluation.ts';

const CHECK_OUTCOMES = {
  passed: CheckOutcome.PASSED,
  failed: CheckOutcome.FAILED,
  warned: CheckOutcome.WARNED,
  skipped: CheckOutcome.SKIPPED,
} as const;

const TEST_LOGIN_STATES = {
  waiting: TestLoginState.WAITING,
  open: TestLoginState.OPEN,
  over: TestLoginState.OVER,
  expired: TestLoginState.EXPIRED,
} as const;

export function createSsoConfigurationService(
  env: Environment,
): ServiceImpl<typeof SSOConfigurationService> {
  return {
    async checkSSOConfiguration(request, context) {
      const caller = readCaller(context);
      const { stages, redirectUri } = await checkConfiguration(env, caller, readTarget(request));
      return {
        stages: stages.map((stage) => ({ ...stage, outcome: CHECK_OUTCOMES[stage.outcome] })),
        redirectUri,
      };
    },

    async evaluateClaims({ expression, claimsMapping, claimsJson }, context) {
      const sample = { expression, mapping: claimsMapping, claimsJson };
      return writeSampleEvaluation(await evaluateSampleFor(env, readCaller(context), sample));
    },

    async previewClaimsExpression({ ssoConfigurationId, claimsExpression }, context) {
      const caller = readCaller(context);
      return writePreview(
        await previewClaimsExpression(env, caller, ssoConfigurationId, claimsExpression),
      );
    },

    async startTestLogin(request, context) {
      const started = await startTestLogin(env, readCaller(context), readTarget(request));
      return {
        testLoginId: started.id,
        url: started.url,
        expiresAt: timestampFromDate(started.expiresAt),
      };
    },

    async getTestLogin({ testLoginId }, context) {
      const { progress, report } = await getTestLogin(env, readCaller(context), testLoginId);
      return {
        state: TEST_LOGIN_STATES[progress],
        ...(report && { report: writeReport(report) }),
      };
    },
  };
}

function readTarget(request: {
  readonly ssoConfigurationId: string;
  readonly organizationId: string;
  readonly draft?: SSOConfigurationDraft | undefined;
}): TrialTarget {
  return {
    ssoConfigurationId: request.ssoConfigurationId || undefined,
    organizationId: request.organizationId || undefined,
    draft: request.draft,
  };
}

function writeReport(report: TestLoginReport): MessageInitShape<typeof TestLoginReportSchema> {
  const { wouldAdmit, stage, detail, consequence, maskedEmail, verdict, explanation } = report;
  return {
    wouldAdmit,
    stage,
    reason: report.reason ?? '',
    detail,
    consequence,
    claimNames: [...report.claimNames],
    maskedEmail,
    ...(verdict && { verdict: writeVerdict(verdict) }),
    ...(explanation && { explanation: writeExplanation(explanation) }),
    endedAt: timestampFromDate(new Date(report.endedAt)),
  };
}
