/**
 * Owns drafts: configurations that are looked at or tried without being stored, and which secret they may use.
 *
 * A stored secret goes to nobody but the issuer that it was stored for. Otherwise whoever may write drafts, or has
 * stolen a session of somebody who may, could send the secret to a server of their own and read it there.
 */
import { readSendableSecret } from './client-secret.ts';
import type { Principal } from './access.ts';
import { createViolationError, DomainError } from './errors.ts';
import { LoginFailure } from './login-failure.ts';
import { getOrganizationAsAdmin } from './organization.ts';
import type { Environment } from './ports.ts';
import { checkSsoConfiguration } from './sso-configuration-rules.ts';
import { getSsoConfiguration, ssoConfigurationNotFound } from './sso-configuration.ts';
import type { SsoConfiguration } from './sso-configuration.ts';

/** What is left out is empty, and not the stored configuration's: all but the secret. */
export interface SsoConfigurationDraft {
  readonly issuerUrl: string;
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
  readonly emailDomains: readonly string[];
  readonly additionalScopes: readonly string[];
  readonly claims: Readonly<Record<string, string>>;
  readonly claimsExpression: string;
}

/** A stored configuration, the draft of a new one (with its organization), or the draft of a stored one. */
export interface TrialTarget {
  readonly ssoConfigurationId?: string | undefined;
  readonly organizationId?: string | undefined;
  readonly draft?: SsoConfigurationDraft | undefined;
}

/** What a trial needs of a configuration. */
export type TrialConfiguration = Pick<
  SsoConfiguration,
  | 'id'
  | 'organizationId'
  | 'issuerUrl'
  | 'clientId'
  | 'state'
  | 'claims'
  | 'emailDomains'
  | 'displayName'
  | 'additionalScopes'
  | 'claimsExpression'
>;

/** Where a trial's secret comes from. */
export type TrialSecret =
  | { readonly kind: 'given'; readonly secret: string }
  | { readonly kind: 'stored'; readonly ssoConfigurationId: string }
  | { readonly kind: 'none' };

export interface Trial {
  /** The draft of a new one has a fresh id, which nothing has. */
  readonly configuration: TrialConfiguration;
  /** Absent for the draft of a new one. */
  readonly storedId: string | undefined;
  readonly secret: TrialSecret;
}

/**
 * What is meant, for an admin of its organization.
 *
 * Fails with `not_found` and `permission_denied` as `getSsoConfiguration` does, and with `invalid_argument` for a draft
 * that could not be stored.
 */
export async function resolveTrial(
  env: Environment,
  caller: Principal,
  { ssoConfigurationId, organizationId, draft }: TrialTarget,
): Promise<Trial> {
  if (ssoConfigurationId !== undefined) {
    const stored = await getSsoConfiguration(env, caller, ssoConfigurationId);
    const trial = { storedId: stored.id } as const;
    if (draft === undefined) {
      const secret = { kind: 'stored', ssoConfigurationId: stored.id } as const;
      return { ...trial, configuration: stored, secret };
    }
    return {
      ...trial,
      configuration: apply(env, stored, draft),
      secret: chooseSecret(stored, draft),
    };
  }
  if (draft === undefined || organizationId === undefined) {
    throw createViolationError([
      {
        field: draft === undefined ? 'sso_configuration_id' : 'organization_id',
        rule: 'trial.target',
        message: 'must name a stored configuration, or the organization of a draft',
      },
    ]);
  }
  const organization = await getOrganizationAsAdmin(env, caller, organizationId);
  const base: Pick<SsoConfiguration, 'id' | 'organizationId' | 'state' | 'displayName'> = {
    id: env.newId(),
    organizationId: organization.id,
    state: 'active',
    displayName: '',
  };
  return {
    configuration: apply(env, base, draft),
    storedId: undefined,
    secret: chooseSecret(undefined, draft),
  };
}

/** The stored secret serves a draft only where it would go to the same issuer, of the same client. */
function chooseSecret(
  stored: SsoConfiguration | undefined,
  { clientSecret, issuerUrl, clientId }: SsoConfigurationDraft,
): TrialSecret {
  if (clientSecret !== undefined && clientSecret !== '') {
    return { kind: 'given', secret: clientSecret };
  }
  return stored !== undefined && isSameRegistration(stored, { issuerUrl, clientId })
    ? { kind: 'stored', ssoConfigurationId: stored.id }
    : { kind: 'none' };
}

/**
 * The secret itself, or `undefined` when there is none. Looks at the stored registration once more, together with its
 * secret: both may have been changed since the trial began.
 *
 * Fails with `LoginFailure` when they were, and with `DomainError('failed_precondition')` when the secret cannot be
 * decrypted.
 */
export async function readTrialSecret(
  env: Environment,
  configuration: Pick<TrialConfiguration, 'issuerUrl' | 'clientId'>,
  secret: TrialSecret,
): Promise<string | undefined> {
  if (secret.kind === 'given') return secret.secret;
  if (secret.kind === 'none') return undefined;
  return env.store.transaction(async (tx) => {
    const stored = await tx.lockSsoConfiguration(secret.ssoConfigurationId);
    if (stored === undefined) throw ssoConfigurationNotFound();
    if (!isSameRegistration(stored, configuration)) {
      throw new LoginFailure(
        'start',
        'configuration_changed',
        'The issuer or the client id of the configuration was changed meanwhile. Begin again.',
      );
    }
    return readSendableSecret(tx, stored);
  });
}

function isSameRegistration(
  a: Pick<SsoConfiguration, 'issuerUrl' | 'clientId'>,
  b: Pick<SsoConfiguration, 'issuerUrl' | 'clientId'>,
): boolean {
  return a.issuerUrl === b.issuerUrl && a.clientId === b.clientId;
}

function apply(
  env: Environment,
  base: Pick<SsoConfiguration, 'id' | 'organizationId' | 'state' | 'displayName'>,
  draft: SsoConfigurationDraft,
): TrialConfiguration {
  const { issuerUrl, clientId, emailDomains, additionalScopes, claimsExpression } = draft;
  const { id, organizationId, state, displayName } = base;
  const claims = Object.fromEntries(
    Object.entries(draft.claims).filter(([, claim]) => claim !== ''),
  );
  const fields = { issuerUrl, clientId, emailDomains, additionalScopes, claims, claimsExpression };
  try {
    checkSsoConfiguration(fields, fields, {
      allowHttpIssuers: env.allowHttpIssuers,
      scopesField: 'additional_scopes',
    });
  } catch (error) {
    if (!(error instanceof DomainError) || error.violations.length === 0) throw error;
    throw createViolationError(
      error.violations.map((violation) => ({ ...violation, field: `draft.${violation.field}` })),
    );
  }
  return { id, organizationId, state, displayName, ...fields };
}
