/** Owns the update of an SSO configuration in the words leave, set and clear. */
import { create } from '@bufbuild/protobuf';
import type { CallOptions } from '@connectrpc/connect';

import {
  AdditionalScopesUpdateSchema,
  UpdateSSOConfigurationRequestSchema,
} from '../../gen/gitpod/v1/organization_pb.ts';
import type {
  SSOConfigurationState,
  UpdateSSOConfigurationRequest,
} from '../../gen/gitpod/v1/organization_pb.ts';
import { resolveChange, resolveSet } from './change.ts';
import type { Change, ClearableChange } from './change.ts';
import type { ClaimgateClient } from './claimgate-client.ts';
import { ClaimgateError } from './claimgate-error.ts';

/** What to do with each field of an SSO configuration. A field that is not named is left as it is. */
export interface SsoConfigurationChange {
  /** Client id at the identity provider. */
  readonly clientId?: Change<string> | undefined;
  /** Client secret at the identity provider. Kept encrypted, and returned by no call. */
  readonly clientSecret?: Change<string> | undefined;
  /** Issuer of the identity provider, as its discovery document writes it. */
  readonly issuerUrl?: Change<string> | undefined;
  /** Whether people can sign in through it. */
  readonly state?: Change<SSOConfigurationState> | undefined;
  /**
   * The claims mapping, by our attribute's name: `{ email: set('mail'), groups: clear }`. Attributes that are not named
   * keep their mapping.
   */
  readonly claims?: Readonly<Record<string, ClearableChange<string> | undefined>> | undefined;
  /**
   * All the email domains, instead of those before: at least one, of 4 to 253 characters. The contract has no way to
   * empty this list.
   */
  readonly emailDomains?: Change<readonly string[]> | undefined;
  /** Name for display, at most 128 characters. */
  readonly displayName?: ClearableChange<string> | undefined;
  /** All the scopes besides `openid email profile`, instead of those before: at most 100, of 1 to 128 characters. */
  readonly additionalScopes?: ClearableChange<readonly string[]> | undefined;
  /** CEL rule over `claims`, at most 4,096 characters. Cleared, everybody may in whom the provider vouches for. */
  readonly claimsExpression?: ClearableChange<string> | undefined;
}

/** The part of a client that is called. */
type Updater = {
  readonly organizations: Pick<ClaimgateClient['organizations'], 'updateSSOConfiguration'>;
};

/**
 * Changes an SSO configuration, atomically. For ADMINs.
 *
 * ```ts
 * await updateSsoConfiguration(client, id, {
 *   displayName: clear,
 *   additionalScopes: set(['groups']),
 *   claimsExpression: leave,
 * });
 * ```
 *
 * Throws `ClaimgateError`: `not_found`; `already_exists` where another configuration of the organization has the
 * resulting issuer and client id; `invalid_argument` with the violations, by the contract's names of the fields.
 */
export async function updateSsoConfiguration(
  client: Updater,
  ssoConfigurationId: string,
  change: SsoConfigurationChange,
  options?: CallOptions,
): Promise<void> {
  const request = buildUpdateSsoConfigurationRequest(ssoConfigurationId, change);
  await client.organizations.updateSSOConfiguration(request, options);
}

/** The message that says exactly this change. Throws `ClaimgateError` where the contract cannot say it. */
export function buildUpdateSsoConfigurationRequest(
  ssoConfigurationId: string,
  change: SsoConfigurationChange,
): UpdateSSOConfigurationRequest {
  const scopes = resolveChange(change.additionalScopes, []);
  return create(UpdateSSOConfigurationRequestSchema, {
    ssoConfigurationId,
    clientId: resolveSet(change.clientId),
    clientSecret: resolveSet(change.clientSecret),
    issuerUrl: resolveSet(change.issuerUrl),
    state: resolveSet(change.state),
    claims: resolveClaims(change.claims ?? {}),
    emailDomains: resolveEmailDomains(change.emailDomains),
    displayName: resolveChange(change.displayName, ''),
    additionalScopes: scopes && create(AdditionalScopesUpdateSchema, { scopes: [...scopes] }),
    claimsExpression: resolveChange(change.claimsExpression, ''),
  });
}

function resolveClaims(
  changes: NonNullable<SsoConfigurationChange['claims']>,
): Record<string, string> {
  const claims = Object.entries(changes).flatMap(([attribute, change]) => {
    const claim = resolveChange(change, '');
    return claim === undefined ? [] : [[attribute, claim] as const];
  });
  return Object.fromEntries(claims);
}

/** An empty list means "as they are" on the wire, so that to set one would silently do nothing. */
function resolveEmailDomains(change: Change<readonly string[]> | undefined): string[] {
  const domains = resolveSet(change);
  if (domains?.length === 0) {
    const message = 'must hold at least one domain: the list of email domains cannot be emptied';
    throw new ClaimgateError('invalid_argument', `email_domains: ${message}`, {
      violations: [{ field: 'email_domains', rule: 'repeated.min_items', message }],
    });
  }
  return [...(domains ?? [])];
}
