/** Owns the update of an organization in the words leave, set and clear. */
import { create } from '@bufbuild/protobuf';
import type { CallOptions } from '@connectrpc/connect';

import {
  InviteDomainsSchema,
  UpdateOrganizationRequestSchema,
} from '../../gen/gitpod/v1/organization_pb.ts';
import type {
  UpdateOrganizationRequest,
  UpdateOrganizationResponse,
} from '../../gen/gitpod/v1/organization_pb.ts';
import { resolveChange, resolveSet } from './change.ts';
import type { Change, ClearableChange } from './change.ts';
import type { ClaimgateClient } from './claimgate-client.ts';

/** What to do with each field of an organization. A field that is not named is left as it is. */
export interface OrganizationChange {
  /** Name for display, 3 to 200 characters. */
  readonly name?: Change<string> | undefined;
  /** All the domains whose people may be invited, instead of those before; 4 to 253 characters each, no two alike. */
  readonly inviteDomains?: ClearableChange<readonly string[]> | undefined;
}

/** The part of a client that is called. */
type Updater = {
  readonly organizations: Pick<ClaimgateClient['organizations'], 'updateOrganization'>;
};

/**
 * Changes an organization, atomically, and returns it as stored. For ADMINs.
 *
 * ```ts
 * await updateOrganization(client, id, { name: set('Example Ltd'), inviteDomains: clear });
 * ```
 *
 * Throws `ClaimgateError`: `not_found`; `invalid_argument` with the violations.
 */
export async function updateOrganization(
  client: Updater,
  organizationId: string,
  change: OrganizationChange,
  options?: CallOptions,
): Promise<UpdateOrganizationResponse> {
  const request = buildUpdateOrganizationRequest(organizationId, change);
  return client.organizations.updateOrganization(request, options);
}

/** The message that says exactly this change. */
export function buildUpdateOrganizationRequest(
  organizationId: string,
  change: OrganizationChange,
): UpdateOrganizationRequest {
  const domains = resolveChange(change.inviteDomains, []);
  return create(UpdateOrganizationRequestSchema, {
    organizationId,
    name: resolveSet(change.name),
    inviteDomains: domains && create(InviteDomainsSchema, { domains: [...domains] }),
  });
}
