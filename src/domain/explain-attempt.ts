/** Owns why the rule refused a login attempt, as far as its claims are still kept. */
import { ClaimsExpressionError } from './claims-policy.ts';
import { compileOnce } from './compiled-rules.ts';
import { DomainError } from './errors.ts';
import { explainVerdict } from './explain-verdict.ts';
import type { VerdictExplanation } from './explain-verdict.ts';
import type { ListedLoginAttempt, LoginAttempt } from './login-attempt.ts';
import type { Environment } from './ports.ts';
import type { SsoConfiguration } from './sso-configuration.ts';

/**
 * The explanations of those attempts that the rule refused, by attempt id. The caller has been checked for the
 * attempts: who may see them may see these.
 */
export async function explainAttempts(
  { store }: Pick<Environment, 'store'>,
  attempts: readonly ListedLoginAttempt[],
): Promise<ReadonlyMap<string, VerdictExplanation>> {
  const configurations = new Map<string, SsoConfiguration | undefined>();
  const explanations = new Map<string, VerdictExplanation>();
  for (const attempt of attempts) {
    if (attempt.stage !== 'policy' || !attempt.claimsKept) continue;
    const { ssoConfigurationId } = attempt;
    if (!configurations.has(ssoConfigurationId)) {
      configurations.set(ssoConfigurationId, await store.findSsoConfiguration(ssoConfigurationId));
    }
    const configuration = configurations.get(ssoConfigurationId);
    const claims = await store.readLoginAttemptClaims(attempt.id).catch(forgiveLostKey);
    if (configuration === undefined || claims === undefined) continue;
    explanations.set(attempt.id, explain(configuration, attempt, claims));
  }
  return explanations;
}

/** The same for one attempt with its claims; `undefined` unless the rule refused it. */
export async function explainAttempt(
  { store }: Pick<Environment, 'store'>,
  attempt: LoginAttempt,
  claims: Readonly<Record<string, unknown>>,
): Promise<VerdictExplanation | undefined> {
  if (attempt.stage !== 'policy') return undefined;
  const configuration = await store.findSsoConfiguration(attempt.ssoConfigurationId);
  return configuration === undefined ? undefined : explain(configuration, attempt, claims);
}

/** A list is not refused because the claims of one of its attempts are under a key that is gone. */
function forgiveLostKey(error: unknown): undefined {
  if (error instanceof DomainError && error.code === 'failed_precondition') return undefined;
  throw error;
}

function explain(
  { claimsExpression, revision }: SsoConfiguration,
  attempt: LoginAttempt,
  claims: Readonly<Record<string, unknown>>,
): VerdictExplanation {
  const explanation = explainByRule(claimsExpression, claims);
  if (revision === attempt.revision) return explanation;
  return {
    ...explanation,
    summary: `The configuration was changed since; this is its rule of today. ${explanation.summary}`,
  };
}

function explainByRule(
  claimsExpression: string,
  claims: Readonly<Record<string, unknown>>,
): VerdictExplanation {
  const none = { causes: [], missingClaims: [] };
  if (claimsExpression === '') {
    return { summary: 'There is no expression: everyone is let in.', ...none };
  }
  try {
    return explainVerdict(compileOnce(claimsExpression), claims).explanation;
  } catch (error) {
    if (!(error instanceof ClaimsExpressionError)) throw error;
    return { summary: `The expression cannot be used: ${error.message}.`, ...none };
  }
}
