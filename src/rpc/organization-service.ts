/** Serves `gitpod.v1.OrganizationService`: each RPC is one call of the domain, between two translations. */
import type { ServiceImpl } from '@connectrpc/connect';

import {
  countMembers,
  createOrganization,
  deleteOrganization,
  getOrganization,
  leaveOrganization,
  listMembers,
  setRole,
  updateOrganization,
} from '../domain/organization.ts';
import type { MemberQuery } from '../domain/organization.ts';
import type { Environment } from '../domain/ports.ts';
import { CountResponseRelation } from '../../gen/gitpod/v1/count_pb.ts';
import { ListMembersRequest_SortField } from '../../gen/gitpod/v1/organization_pb.ts';
import type {
  ListMembersRequest,
  OrganizationService,
} from '../../gen/gitpod/v1/organization_pb.ts';
import { SortOrder } from '../../gen/gitpod/v1/pagination_pb.ts';
import { readCaller } from './caller.ts';
import { readRole, readUserStatus, writeMember, writeOrganization } from './convert.ts';
import { createDomainVerificationRpcs } from './domain-verification-rpcs.ts';
import { readPageRequest, writePageToken } from './pagination.ts';
import { createSsoConfigurationRpcs } from './sso-configuration-rpcs.ts';

export function createOrganizationService(
  env: Environment,
): ServiceImpl<typeof OrganizationService> {
  return {
    ...createSsoConfigurationRpcs(env),
    ...createDomainVerificationRpcs(env),

    async createOrganization(request, context) {
      const { organization, member } = await createOrganization(env, readCaller(context), {
        name: request.name,
        join: request.joinOrganization,
        inviteMatchingDomain: request.inviteAccountsWithMatchingDomain,
      });
      return {
        organization: writeOrganization(organization),
        ...(member && { member: writeMember(member) }),
      };
    },

    async getOrganization(request, context) {
      const organization = await getOrganization(env, readCaller(context), request.organizationId);
      return { organization: writeOrganization(organization) };
    },

    async updateOrganization(request, context) {
      const change = { name: request.name, inviteDomains: request.inviteDomains?.domains };
      const organization = await updateOrganization(
        env,
        readCaller(context),
        request.organizationId,
        change,
      );
      return { organization: writeOrganization(organization) };
    },

    async deleteOrganization(request, context) {
      await deleteOrganization(env, readCaller(context), request.organizationId);
      return {};
    },

    async listMembers(request, context) {
      const caller = readCaller(context);
      const query = readMemberQuery(request);
      const list = ['members', query];
      const page = await listMembers(env, caller, query, readPageRequest(request.pagination, list));
      return {
        members: page.rows.map(writeMember),
        pagination: writePageToken(page.next, list),
        ...(request.count?.include === true && {
          count: {
            value: await countMembers(env, caller, query),
            relation: CountResponseRelation.EQ,
          },
        }),
      };
    },

    async setRole(request, context) {
      const role = readRole(request.role, 'role');
      await setRole(env, readCaller(context), request.organizationId, request.userId, role);
      return {};
    },

    async leaveOrganization(request, context) {
      await leaveOrganization(env, readCaller(context), request.userId);
      return {};
    },
  };
}

/** There are no groups and teams here, so leaving out their members leaves out nobody. */
function readMemberQuery({ organizationId, filter, sort }: ListMembersRequest): MemberQuery {
  return {
    organizationId,
    filter: {
      search: filter?.search ?? '',
      statuses: readEach(filter?.statuses, 'filter.statuses', readUserStatus),
      roles: readEach(filter?.roles, 'filter.roles', readRole),
      userIds: filter?.userIds ?? [],
    },
    sort: {
      field: sort?.field === ListMembersRequest_SortField.NAME ? 'name' : 'joined',
      descending: sort?.order === SortOrder.DESC,
    },
  };
}

/** Each value once: the schema does not bound the list. */
function readEach<Value>(
  numbers: readonly number[] | undefined,
  field: string,
  read: (number: number, field: string) => Value,
): Value[] {
  const all = numbers ?? [];
  return [...new Set(all)].map((number) => read(number, `${field}[${all.indexOf(number)}]`));
}
