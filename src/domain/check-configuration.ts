/** Owns the check of a configuration before anybody signs in through it. What is looked at is behind the port. */
import { assertMayWrite } from './access.ts';
import type { Principal } from './access.ts';
import { ATTRIBUTES, readTopName, selectClaim } from './claims-mapping.ts';
import { compileOnce } from './compiled-rules.ts';
import type { CheckStage } from './configuration-checker.ts';
import { LoginFailure } from './login-failure.ts';
import { selectScopes } from './login.ts';
import { createRedirectUri } from './redirect-uri.ts';
import { DomainError } from './errors.ts';
import type { Environment } from './ports.ts';
import { generateSecret } from './secret.ts';
import { listClaimPaths } from './seen-values.ts';
import { readTrialSecret, resolveTrial } from './sso-draft.ts';
import type { TrialConfiguration, TrialTarget } from './sso-draft.ts';
import { limitTrial } from './trial-limits.ts';

export interface CheckReport {
  readonly stages: readonly CheckStage[];
  /** To register at the identity provider. */
  readonly redirectUri: string;
}

/** Checks a stored configuration or a draft. Fails as `resolveTrial` does, and with `resource_exhausted`. */
export async function checkConfiguration(
  env: Environment,
  caller: Principal,
  target: TrialTarget,
): Promise<CheckReport> {
  // It reads, but it sends a secret on its way.
  assertMayWrite(caller);
  const { configuration, secret } = await resolveTrial(env, caller, target);
  await limitTrial(env, 'check', configuration.organizationId);
  const redirectUri = createRedirectUri(env.publicUrl, configuration.organizationId);
  const stages = await env.configurationChecker.check({
    issuerUrl: configuration.issuerUrl,
    clientId: configuration.clientId,
    clientSecret: await readTrialSecret(env, configuration, secret).catch(refuseChanged),
    scopes: selectScopes(configuration),
    claims: listUsedClaims(configuration),
    redirectUri,
    wrongCode: generateSecret(env),
  });
  return { stages, redirectUri };
}

function refuseChanged(error: unknown): never {
  if (!(error instanceof LoginFailure)) throw error;
  throw new DomainError('aborted', error.detail, { reason: 'CHANGED_MEANWHILE' });
}

/** The top-level claims that the rule, the mapping and every login use, each once, sorted. */
function listUsedClaims({
  claims,
  claimsExpression,
}: Pick<TrialConfiguration, 'claims' | 'claimsExpression'>): readonly string[] {
  const mapped = ATTRIBUTES.filter(
    (attribute) => attribute === 'email' || Object.hasOwn(claims, attribute),
  ).map((attribute) => readTopName(selectClaim(claims, attribute)));
  const ruled = claimsExpression === '' ? [] : listClaimPaths(compileOnce(claimsExpression).ast);
  const names = [...mapped, ...ruled.flatMap(([name]) => name ?? [])];
  return [...new Set(names)].toSorted();
}
