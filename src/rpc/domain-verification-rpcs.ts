/** Serves the five domain verification RPCs of `gitpod.v1.OrganizationService`. */
import type { ServiceImpl } from '@connectrpc/connect';

import {
  createDomainVerification,
  deleteDomainVerification,
  getDomainVerification,
  listDomainVerifications,
  verifyDomain,
} from '../domain/domain-verification.ts';
import type { Environment } from '../domain/ports.ts';
import type { OrganizationService } from '../../gen/gitpod/v1/organization_pb.ts';
import { readCaller } from './caller.ts';
import { writeDomainVerification } from './convert.ts';
import { readPageRequest, writePageToken } from './pagination.ts';

type DomainVerificationRpcs = Pick<
  ServiceImpl<typeof OrganizationService>,
  | 'createDomainVerification'
  | 'getDomainVerification'
  | 'listDomainVerifications'
  | 'verifyDomain'
  | 'deleteDomainVerification'
>;

export function createDomainVerificationRpcs(env: Environment): DomainVerificationRpcs {
  return {
    async createDomainVerification({ organizationId, domain }, context) {
      const verification = await createDomainVerification(
        env,
        readCaller(context),
        organizationId,
        domain,
      );
      return { domainVerification: writeDomainVerification(verification) };
    },

    async getDomainVerification({ domainVerificationId }, context) {
      const verification = await getDomainVerification(
        env,
        readCaller(context),
        domainVerificationId,
      );
      return { domainVerification: writeDomainVerification(verification) };
    },

    async listDomainVerifications({ organizationId, pagination }, context) {
      const list = ['domain-verifications', organizationId];
      const pageRequest = readPageRequest(pagination, list);
      const page = await listDomainVerifications(
        env,
        readCaller(context),
        organizationId,
        pageRequest,
      );
      return {
        domainVerifications: page.rows.map(writeDomainVerification),
        pagination: writePageToken(page.next, list),
      };
    },

    async verifyDomain({ domainVerificationId }, context) {
      const verification = await verifyDomain(env, readCaller(context), domainVerificationId);
      return { domainVerification: writeDomainVerification(verification) };
    },

    async deleteDomainVerification({ domainVerificationId }, context) {
      await deleteDomainVerification(env, readCaller(context), domainVerificationId);
      return {};
    },
  };
}
