/** Serves `gitpod.v1.IdentityService`. */
import type { ServiceImpl } from '@connectrpc/connect';

import { issueIdToken } from '../domain/id-token.ts';
import type { Environment } from '../domain/ports.ts';
import { IDTokenVersion } from '../../gen/gitpod/v1/identity_pb.ts';
import type { IdentityService } from '../../gen/gitpod/v1/identity_pb.ts';
import { OrganizationTierSchema } from '../../gen/gitpod/v1/organization_pb.ts';
import { readCaller } from './caller.ts';
import { ORGANIZATION_TIER, writeSubject } from './convert.ts';

const TIER_NAME = OrganizationTierSchema.value[ORGANIZATION_TIER]?.name ?? '';

export function createIdentityService(env: Environment): ServiceImpl<typeof IdentityService> {
  return {
    async getIDToken({ audience, version }, context) {
      const layout = version === IDTokenVersion.ID_TOKEN_VERSION_V2 ? 'v2' : 'v1';
      return { token: await issueIdToken(env, readCaller(context), audience, layout) };
    },

    getAuthenticatedIdentity(_request, context) {
      const caller = readCaller(context);
      return {
        subject: writeSubject(caller.userId),
        organizationId: caller.organizationId,
        organizationTier: TIER_NAME,
      };
    },
  };
}
