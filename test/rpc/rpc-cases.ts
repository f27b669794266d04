// Owns one valid request for each RPC, made afresh for each call, since some of them end what they are about.
import { fromJson } from '@bufbuild/protobuf';
import type { DescMethod, DescMethodUnary, JsonObject } from '@bufbuild/protobuf';
import type { Transport } from '@connectrpc/connect';
import { v7 as newId } from 'uuid';

import { EventService } from '../../gen/gitpod/v1/event_pb.ts';
import { IdentityService } from '../../gen/gitpod/v1/identity_pb.ts';
import { OrganizationService } from '../../gen/gitpod/v1/organization_pb.ts';
import { UserService } from '../../gen/gitpod/v1/user_pb.ts';
import { describeNewConfiguration } from './sso-configuration-values.ts';

/** What requests are about: ids that exist, or ids that do not. */
export interface Targets {
  readonly organizationId: string;
  readonly ssoConfigurationId: string;
  readonly domainVerificationId: string;
  /** A member of the organization. */
  readonly userId: string;
  readonly personalAccessTokenId: string;
}

export interface RpcCase {
  /** Such as `OrganizationService/GetOrganization`. */
  readonly rpc: string;
  readonly method: DescMethodUnary;
  readonly describe: (targets: Targets) => JsonObject;
}

const requests: Readonly<Record<string, RpcCase['describe']>> = {
  CreateOrganization: () => ({ name: 'Umbrella' }),
  GetOrganization: ({ organizationId }) => ({ organizationId }),
  UpdateOrganization: ({ organizationId }) => ({ organizationId, name: 'Renamed' }),
  DeleteOrganization: ({ organizationId }) => ({ organizationId }),
  ListMembers: ({ organizationId }) => ({ organizationId }),
  SetRole: ({ organizationId, userId }) => ({
    organizationId,
    userId,
    role: 'ORGANIZATION_ROLE_MEMBER',
  }),
  LeaveOrganization: ({ userId }) => ({ userId }),
  CreateSSOConfiguration: ({ organizationId }) => describeNewConfiguration(organizationId),
  GetSSOConfiguration: ({ ssoConfigurationId }) => ({ ssoConfigurationId }),
  ListSSOConfigurations: ({ organizationId }) => ({ organizationId }),
  UpdateSSOConfiguration: ({ ssoConfigurationId }) => ({ ssoConfigurationId, displayName: 'New' }),
  DeleteSSOConfiguration: ({ ssoConfigurationId }) => ({ ssoConfigurationId }),
  CreateDomainVerification: ({ organizationId }) => ({
    organizationId,
    domain: `d${newId()}.example`,
  }),
  GetDomainVerification: ({ domainVerificationId }) => ({ domainVerificationId }),
  ListDomainVerifications: ({ organizationId }) => ({ organizationId }),
  VerifyDomain: ({ domainVerificationId }) => ({ domainVerificationId }),
  DeleteDomainVerification: ({ domainVerificationId }) => ({ domainVerificationId }),
  ListAuditLogs: () => ({}),
  GetIDToken: () => ({ audience: ['https://api.example.com'] }),
  GetAuthenticatedIdentity: () => ({}),
  GetAuthenticatedUser: () => ({}),
  CreatePersonalAccessToken: ({ userId }) => ({ userId, description: 'for the test' }),
  GetPersonalAccessToken: ({ personalAccessTokenId }) => ({ personalAccessTokenId }),
  ListPersonalAccessTokens: ({ userId }) => ({ filter: { userIds: [userId] } }),
  DeletePersonalAccessToken: ({ personalAccessTokenId }) => ({ personalAccessTokenId }),
};

/** Every RPC that we serve. */
export const RPC_CASES: readonly RpcCase[] = [
  ...OrganizationService.methods,
  ...IdentityService.methods,
  ...UserService.methods,
  ...EventService.methods,
].map((method) => {
  const describe = requests[method.name];
  if (describe === undefined || !isUnary(method)) throw new Error(`no request for ${method.name}`);
  const rpc = `${method.parent.typeName}/${method.name}`.replace('gitpod.v1.', '');
  return { rpc, method, describe };
});

export function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === 'unary';
}

export function findRpcCase(name: string): RpcCase {
  const found = RPC_CASES.find(({ method }) => method.name === name);
  if (found === undefined) throw new Error(`no RPC ${name}`);
  return found;
}

export function callRpc(
  transport: Transport,
  { method, describe }: RpcCase,
  targets: Targets,
): Promise<unknown> {
  const message = fromJson(method.input, describe(targets));
  return transport.unary(method, undefined, undefined, undefined, message);
}
