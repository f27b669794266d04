/**
 * Owns SSO configurations: what they are, and the use cases over them. It refuses to own the rules of their fields
 * (`sso-configuration-rules.ts`), what happens at login (`login.ts`) and what a claims expression means
 * (`claims-policy.ts`).
 */
import { assertAdminOf, assertMayWrite } from './access.ts';
import type { Principal } from './access.ts';
import { describeActor, listDifferences, makeChange, recordAs } from './audit.ts';
import type { Change, ChangeAction } from './audit.ts';
import { whenReady } from './awaitable.ts';
import type { Awaitable } from './awaitable.ts';
import { readIssuerOrigin } from './client-secret.ts';
import { getOrganizationAsAdmin } from './organization.ts';
import type { Page, PageRequest } from './page.ts';
import type { Environment } from './ports.ts';
import { checkSsoConfiguration, joinEmailDomains } from './sso-configuration-rules.ts';
import { DomainError } from './errors.ts';

export type SsoConfigurationState = 'active' | 'inactive';
export type ProviderType = 'builtin' | 'custom';

/** One OIDC client registration at one identity provider, owned by an organization. The client secret is not in it. */
export interface SsoConfiguration {
  readonly id: string;
  readonly organizationId: string;
  /** OAuth 2.0 client identifier (RFC 6749 §2.2), returned byte for byte. */
  readonly clientId: string;
  /** Issuer identifier (OpenID Connect Core §2), returned byte for byte. */
  readonly issuerUrl: string;
  readonly state: SsoConfigurationState;
  readonly providerType: ProviderType;
  /** Our attribute name → the identity provider's claim name. */
  readonly claims: Readonly<Record<string, string>>;
  /** As the admin wrote them; compared without regard to case. The first is the older single `email_domain`. */
  readonly emailDomains: readonly string[];
  readonly displayName: string;
  /** Asked for besides `openid email profile`. */
  readonly additionalScopes: readonly string[];
  /** CEL rule over the claims; empty lets everyone in whom the identity provider vouches for. */
  readonly claimsExpression: string;
  /** The issuer's origin when the client secret was given; it is sent nowhere else (see `client-secret.ts`). */
  readonly secretOrigin: string;
  /** Grows by one with each change. A login that began under another revision does not complete. */
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface CreateSsoConfigurationInput {
  readonly organizationId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly issuerUrl: string;
  readonly emailDomain?: string | undefined;
  readonly emailDomains: readonly string[];
  readonly displayName: string;
  readonly additionalScopes: readonly string[];
  readonly claimsExpression?: string | undefined;
  /** Active unless given. */
  readonly state?: SsoConfigurationState | undefined;
}

/** What is absent stays as it is. */
export interface SsoConfigurationChange {
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  readonly issuerUrl?: string | undefined;
  readonly state?: SsoConfigurationState | undefined;
  /** Merged by key; a key with an empty value removes that mapping. */
  readonly claims: Readonly<Record<string, string>>;
  readonly emailDomain?: string | undefined;
  /** Empty stays: the contract gives this list no presence. */
  readonly emailDomains: readonly string[];
  /** Empty clears. */
  readonly displayName?: string | undefined;
  /** Empty clears. */
  readonly additionalScopes?: readonly string[] | undefined;
  /** Empty clears. */
  readonly claimsExpression?: string | undefined;
}

/** What an update can change, but for the client secret. */
const CHANGEABLE_FIELDS = [
  'clientId',
  'issuerUrl',
  'state',
  'claims',
  'emailDomains',
  'displayName',
  'additionalScopes',
  'claimsExpression',
] as const satisfies readonly (keyof SsoConfiguration)[];

export const ssoConfigurationNotFound = (): DomainError =>
  new DomainError(
    'not_found',
    'No such SSO configuration. ListSSOConfigurations shows those of your organization.',
    { reason: 'SSO_CONFIGURATION_NOT_FOUND' },
  );

/** Makes a configuration, always a new one: active unless said otherwise, and of provider type custom. */
export async function createSsoConfiguration(
  env: Environment,
  caller: Principal,
  input: CreateSsoConfigurationInput,
): Promise<SsoConfiguration> {
  assertMayWrite(caller);
  const organization = await getOrganizationAsAdmin(env, caller, input.organizationId);
  const now = env.now();
  const configuration: SsoConfiguration = {
    id: env.newId(),
    organizationId: organization.id,
    clientId: input.clientId,
    issuerUrl: input.issuerUrl,
    state: input.state ?? 'active',
    providerType: 'custom',
    claims: {},
    emailDomains: joinEmailDomains(input.emailDomain, input.emailDomains),
    displayName: input.displayName,
    additionalScopes: input.additionalScopes,
    claimsExpression: input.claimsExpression ?? '',
    secretOrigin: readIssuerOrigin(input.issuerUrl),
    revision: 1,
    createdAt: now,
    updatedAt: now,
  };
  const { allowHttpIssuers } = env;
  checkSsoConfiguration(configuration, input, {
    allowHttpIssuers,
    scopesField: 'additional_scopes',
  });
  return makeChange(env, describeActor(caller), async (tx) => {
    await tx.insertSsoConfiguration(configuration, input.clientSecret);
    return recordAs(configuration, changeConfiguration(configuration, 'sso_configuration.created'));
  });
}

export function getSsoConfiguration(
  env: Environment,
  caller: Principal,
  id: string,
): Awaitable<SsoConfiguration> {
  return whenReady(env.store.findSsoConfiguration(id), (configuration) => {
    if (configuration === undefined) throw ssoConfigurationNotFound();
    assertAdminOf(caller, configuration.organizationId, ssoConfigurationNotFound);
    return configuration;
  });
}

export function listSsoConfigurations(
  env: Environment,
  caller: Principal,
  organizationId: string,
  page: PageRequest,
): Awaitable<Page<SsoConfiguration>> {
  return whenReady(getOrganizationAsAdmin(env, caller, organizationId), ({ id }) =>
    env.store.listSsoConfigurations(id, page),
  );
}

/**
 * Changes what is given, atomically: two changes of different fields at the same time both survive.
 *
 * @param guardedRevision of the configuration that the guard (`guarded-update.ts`) has looked at: fails with `aborted`
 * when it has another by now
 */
export async function updateSsoConfiguration(
  env: Environment,
  caller: Principal,
  id: string,
  change: SsoConfigurationChange,
  guardedRevision?: number,
): Promise<SsoConfiguration> {
  assertMayWrite(caller);
  const { allowHttpIssuers } = env;
  return makeChange(env, describeActor(caller), async (tx) => {
    const current = await tx.lockSsoConfiguration(id);
    if (current === undefined) throw ssoConfigurationNotFound();
    assertAdminOf(caller, current.organizationId, ssoConfigurationNotFound);
    if (guardedRevision !== undefined && current.revision !== guardedRevision) {
      throw new DomainError('aborted', 'The configuration was changed meanwhile. Try again.', {
        reason: 'CHANGED_MEANWHILE',
      });
    }
    const updated: SsoConfiguration = {
      ...applyChange(current, change),
      revision: current.revision + 1,
      updatedAt: env.now(),
    };
    checkSsoConfiguration(updated, change, {
      allowHttpIssuers,
      scopesField: 'additional_scopes.scopes',
    });
    await tx.updateSsoConfiguration(updated, change.clientSecret);
    const fields = [
      ...listDifferences(current, updated, CHANGEABLE_FIELDS),
      ...(change.clientSecret === undefined ? [] : ['client_secret']),
    ];
    const action =
      guardedRevision === undefined
        ? 'sso_configuration.updated'
        : 'sso_configuration.updated_guarded';
    return recordAs(updated, changeConfiguration(updated, action, fields));
  });
}

export async function deleteSsoConfiguration(
  env: Environment,
  caller: Principal,
  id: string,
): Promise<void> {
  assertMayWrite(caller);
  await makeChange(env, describeActor(caller), async (tx) => {
    const current = await tx.lockSsoConfiguration(id);
    if (current === undefined) throw ssoConfigurationNotFound();
    assertAdminOf(caller, current.organizationId, ssoConfigurationNotFound);
    await tx.deleteSsoConfiguration(id);
    return recordAs(undefined, changeConfiguration(current, 'sso_configuration.deleted'));
  });
}

function changeConfiguration(
  { id, organizationId }: Pick<SsoConfiguration, 'id' | 'organizationId'>,
  action: ChangeAction,
  fields: readonly string[] = [],
): Change {
  return { action, organizationId, subject: { type: 'sso_configuration', id }, fields };
}

/** What the configuration becomes, before it is checked. */
export function applyChange(
  current: SsoConfiguration,
  change: SsoConfigurationChange,
): SsoConfiguration {
  const issuerUrl = change.issuerUrl ?? current.issuerUrl;
  const emailDomains = joinEmailDomains(change.emailDomain, change.emailDomains);
  const claims = Object.entries({ ...current.claims, ...change.claims }).filter(
    ([, claim]) => claim !== '',
  );
  return {
    ...current,
    clientId: change.clientId ?? current.clientId,
    issuerUrl,
    state: change.state ?? current.state,
    claims: Object.fromEntries(claims),
    emailDomains: emailDomains.length > 0 ? emailDomains : current.emailDomains,
    displayName: change.displayName ?? current.displayName,
    additionalScopes: change.additionalScopes ?? current.additionalScopes,
    claimsExpression: change.claimsExpression ?? current.claimsExpression,
    secretOrigin:
      change.clientSecret === undefined ? current.secretOrigin : readIssuerOrigin(issuerUrl),
  };
}
