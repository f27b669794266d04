/** Owns what a test login tells: whether the person would get in, as whom, and why not. It writes nothing. */
import { mapClaims } from './claims-mapping.ts';
import type { MappedAttributes } from './claims-mapping.ts';
import type { ClaimsVerdict } from './claims-policy.ts';
import { compileOnce } from './compiled-rules.ts';
import { explainVerdict } from './explain-verdict.ts';
import type { VerdictExplanation } from './explain-verdict.ts';
import type { VerifiedClaims } from './identity-provider.ts';
import { maskEmail } from './login-attempt.ts';
import { LoginFailure } from './login-failure.ts';
import type { LoginFailureReason, LoginStage } from './login-failure.ts';
import { identifyPerson } from './login-person.ts';
import type { IdentifiedPerson } from './login-person.ts';
import { decideAdmission } from './login.ts';
import type { Environment } from './ports.ts';
import type { TrialConfiguration } from './sso-draft.ts';

/** What admins are told. The claims' values are not in it, but for those that the explanation quotes. */
export interface TestLoginReport {
  readonly wouldAdmit: boolean;
  readonly stage: LoginStage;
  /** Absent when it would admit. */
  readonly reason?: LoginFailureReason | undefined;
  readonly detail: string;
  /** What would happen to the person, in a sentence. */
  readonly consequence: string;
  readonly claimNames: readonly string[];
  readonly maskedEmail: string;
  /** Absent when there is no rule, or it was not asked. */
  readonly verdict?: ClaimsVerdict | undefined;
  readonly explanation?: VerdictExplanation | undefined;
  /** ISO 8601. */
  readonly endedAt: string;
}

/** The report, and what the browser alone is shown. */
export interface TestLoginResult {
  readonly report: TestLoginReport;
  readonly claims?: VerifiedClaims['claims'] | undefined;
  readonly attributes?: MappedAttributes | undefined;
}

/** What these claims, once verified, would have come to. */
export async function judgeClaims(
  env: Environment,
  configuration: TrialConfiguration,
  verified: VerifiedClaims,
): Promise<TestLoginResult> {
  const { claims } = verified;
  const seen = { claims, attributes: mapClaims(configuration.claims, claims) };
  try {
    const person = await foreseePerson(env, configuration, verified);
    const consequence = describeConsequence(person, configuration);
    return { ...seen, report: createReport(env, undefined, configuration, claims, consequence) };
  } catch (error) {
    if (!(error instanceof LoginFailure)) throw error;
    return { ...seen, report: createReport(env, error, configuration, claims) };
  }
}

/** Who the person would be, by the same steps as at a login, without the last one. */
async function foreseePerson(
  env: Environment,
  configuration: TrialConfiguration,
  verified: VerifiedClaims,
): Promise<IdentifiedPerson> {
  const attributes = decideAdmission(configuration, verified.claims);
  return env.store.transaction((tx) => identifyPerson(tx, configuration, verified, attributes));
}

function describeConsequence(person: IdentifiedPerson, { state }: TrialConfiguration): string {
  const inactive =
    state === 'active'
      ? ''
      : ' The configuration is inactive: nobody is signed in through it until it is switched on.';
  switch (person.kind) {
    case 'new':
      return `A new member would be made, with the role MEMBER, and signed in.${inactive}`;
    case 'known':
      return `The person would be signed in as the member ${person.user.id}, who they have been before.${inactive}`;
    case 'linked':
      return `The person would be signed in as the member ${person.user.id}, whose email they have proved.${inactive}`;
  }
}

/** Of a failure, or of none. */
export function createReport(
  env: Environment,
  failure: LoginFailure | undefined,
  configuration?: TrialConfiguration,
  claims?: VerifiedClaims['claims'],
  consequence = 'Nobody would be signed in, and no member made.',
): TestLoginReport {
  const expression = configuration?.claimsExpression ?? '';
  const isJudged = claims !== undefined && expression !== '';
  const attributes = mapClaims(configuration?.claims ?? {}, claims ?? {});
  return {
    wouldAdmit: failure === undefined,
    stage: failure?.stage ?? 'session',
    reason: failure?.reason,
    detail: failure?.detail ?? '',
    consequence,
    claimNames: Object.keys(claims ?? {}).toSorted(),
    maskedEmail: maskEmail(attributes.email ?? ''),
    ...(isJudged && judge(expression, claims)),
    endedAt: env.now().toISOString(),
  };
}

function judge(expression: string, claims: VerifiedClaims['claims']) {
  try {
    return explainVerdict(compileOnce(expression), claims);
  } catch {
    // The failure of the login has said so already.
    return {};
  }
}
