/** Owns the way from a work email to the SSO configurations that sign its people in. */
import { readEmailDomain } from './email-domain.ts';
import { createViolationError, DomainError } from './errors.ts';
import { limitDiscovery } from './login-limits.ts';
import type { Environment } from './ports.ts';
import { resolveReturnTo } from './return-to.ts';
import type { SsoConfiguration } from './sso-configuration.ts';

/** One way to sign in. */
export interface LoginChoice {
  /** The configuration's. */
  readonly id: string;
  /** What the person is shown: the display name, else the issuer's host. */
  readonly label: string;
  readonly loginUrl: string;
}

/**
 * The active configurations that carry the email's domain, of organizations that have verified it. Fails with
 * `not_found` when there is none: after the same work, so that the time says no more than the answer; and as
 * `limitDiscovery` does.
 */
export async function discoverLogins(
  env: Environment,
  {
    email,
    returnTo,
    address,
  }: {
    readonly email: string;
    readonly returnTo: string | undefined;
    /** Of whoever asks. */
    readonly address: string;
  },
): Promise<readonly LoginChoice[]> {
  await limitDiscovery(env, { email, address });
  const target =
    returnTo === undefined || returnTo === '' ? undefined : checkReturnTo(env, returnTo);
  const domain = readEmailDomain(email) ?? '';
  const configurations = await env.store.listSsoConfigurationsForLogin(domain);
  if (configurations.length === 0) {
    throw new DomainError(
      'not_found',
      'No single sign-on is set up for this email domain. Check the spelling, or ask the admin of your organization.',
      { reason: 'SSO_LOGIN_NOT_FOUND' },
    );
  }
  return configurations.map((configuration) => ({
    id: configuration.id,
    label: describeConfiguration(configuration),
    loginUrl: createLoginUrl(env.publicUrl, configuration.id, { email, returnTo: target }),
  }));
}

/** What a person calls the configuration. */
export function describeConfiguration({ displayName, issuerUrl }: SsoConfiguration): string {
  return displayName === '' ? new URL(issuerUrl).host : displayName;
}

/** Where a login through this configuration begins; without one, where the person chooses. */
export function createLoginUrl(
  publicUrl: string,
  ssoConfigurationId: string | undefined,
  query: { readonly email?: string | undefined; readonly returnTo?: string | undefined },
): string {
  const url = new URL(
    `${publicUrl}/login${ssoConfigurationId === undefined ? '' : `/${ssoConfigurationId}`}`,
  );
  if (query.email !== undefined) url.searchParams.set('email', query.email);
  if (query.returnTo !== undefined) url.searchParams.set('return_to', query.returnTo);
  return url.href;
}

export function checkReturnTo(
  env: Pick<Environment, 'publicUrl' | 'returnToOrigins'>,
  returnTo: string,
): string {
  const target = resolveReturnTo(returnTo, {
    publicUrl: env.publicUrl,
    allowedOrigins: env.returnToOrigins,
  });
  if (target !== undefined) return target;
  throw createViolationError([
    {
      field: 'return_to',
      rule: 'return_to.origin',
      message:
        'must be a URL on an origin that the operator has allowed (CLAIMGATE_RETURN_TO_ORIGINS)',
    },
  ]);
}
