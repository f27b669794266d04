/** Owns the translation between the domain's types and the wire's, in both directions. It decides nothing else. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { MessageInitShape } from '@bufbuild/protobuf';

import type { DomainVerification } from '../domain/domain-verification.ts';
import type { Organization, User } from '../domain/organization.ts';
import type { SsoConfiguration } from '../domain/sso-configuration.ts';
import type { PersonalAccessToken } from '../domain/token.ts';
import { createEnumReader } from './enum-reader.ts';
import { Principal } from '../../gen/gitpod/v1/identity_pb.ts';
import type { SubjectSchema } from '../../gen/gitpod/v1/identity_pb.ts';
import {
  DomainVerificationState as WireDomainVerificationState,
  OrganizationRole,
  OrganizationTier,
  SSOConfiguration_ProviderType,
  SSOConfigurationState as WireSsoConfigurationState,
} from '../../gen/gitpod/v1/organization_pb.ts';
import type {
  DomainVerificationSchema,
  OrganizationMemberSchema,
  OrganizationSchema,
  SSOConfigurationSchema,
} from '../../gen/gitpod/v1/organization_pb.ts';
import { UserStatus as WireUserStatus } from '../../gen/gitpod/v1/user_pb.ts';
import type { PersonalAccessTokenSchema, UserSchema } from '../../gen/gitpod/v1/user_pb.ts';

/** Claimgate sells nothing: every organization has all there is. */
export const ORGANIZATION_TIER = OrganizationTier.ENTERPRISE;

const ROLES = { admin: OrganizationRole.ADMIN, member: OrganizationRole.MEMBER } as const;
const STATUSES = {
  active: WireUserStatus.ACTIVE,
  suspended: WireUserStatus.SUSPENDED,
  left: WireUserStatus.LEFT,
} as const;
const SSO_STATES = {
  active: WireSsoConfigurationState.SSO_CONFIGURATION_STATE_ACTIVE,
  inactive: WireSsoConfigurationState.SSO_CONFIGURATION_STATE_INACTIVE,
} as const;
const PROVIDER_TYPES = {
  builtin: SSOConfiguration_ProviderType.BUILTIN,
  custom: SSOConfiguration_ProviderType.CUSTOM,
} as const;
const VERIFICATION_STATES = {
  pending: WireDomainVerificationState.PENDING,
  verified: WireDomainVerificationState.VERIFIED,
} as const;

export function writeOrganization(
  organization: Organization,
): MessageInitShape<typeof OrganizationSchema> {
  return {
    id: organization.id,
    name: organization.name,
    createdAt: timestampFromDate(organization.createdAt),
    updatedAt: timestampFromDate(organization.updatedAt),
    inviteDomains: { domains: [...organization.inviteDomains] },
    tier: ORGANIZATION_TIER,
  };
}

export function writeMember(user: User): MessageInitShape<typeof OrganizationMemberSchema> {
  return {
    userId: user.id,
    role: ROLES[user.role],
    memberSince: timestampFromDate(user.createdAt),
    avatarUrl: user.avatarUrl,
    fullName: user.name,
    email: user.email,
    status: STATUSES[user.status],
    loginProvider: user.loginProvider,
  };
}

export function writeUser(user: User): MessageInitShape<typeof UserSchema> {
  return {
    id: user.id,
    organizationId: user.organizationId,
    name: user.name,
    avatarUrl: user.avatarUrl,
    createdAt: timestampFromDate(user.createdAt),
    status: STATUSES[user.status],
    email: user.email,
  };
}

export function writeSsoConfiguration(
  configuration: SsoConfiguration,
): MessageInitShape<typeof SSOConfigurationSchema> {
  return {
    id: configuration.id,
    organizationId: configuration.organizationId,
    clientId: configuration.clientId,
    issuerUrl: configuration.issuerUrl,
    state: SSO_STATES[configuration.state],
    claims: { ...configuration.claims },
    emailDomain: configuration.emailDomains[0] ?? '',
    providerType: PROVIDER_TYPES[configuration.providerType],
    emailDomains: [...configuration.emailDomains],
    displayName: configuration.displayName,
    additionalScopes: [...configuration.additionalScopes],
    claimsExpression: configuration.claimsExpression,
  };
}

export function writeDomainVerification(
  verification: DomainVerification,
): MessageInitShape<typeof DomainVerificationSchema> {
  return {
    id: verification.id,
    organizationId: verification.organizationId,
    domain: verification.domain,
    state: VERIFICATION_STATES[verification.state],
    verificationToken: verification.token,
    createdAt: timestampFromDate(verification.createdAt),
    ...(verification.verifiedAt && { verifiedAt: timestampFromDate(verification.verifiedAt) }),
  };
}

export function writeToken(
  token: PersonalAccessToken,
): MessageInitShape<typeof PersonalAccessTokenSchema> {
  return {
    id: token.id,
    userId: token.userId,
    description: token.description,
    creator: writeSubject(token.creatorId),
    createdAt: timestampFromDate(token.createdAt),
    readOnly: token.readOnly,
    ...(token.expiresAt && { expiresAt: timestampFromDate(token.expiresAt) }),
    ...(token.lastUsedAt && { lastUsed: timestampFromDate(token.lastUsedAt) }),
  };
}

export function writeSubject(userId: string): MessageInitShape<typeof SubjectSchema> {
  return { id: userId, principal: Principal.USER };
}

/** Enum values that the schema lets pass and the use case cannot take, `UNSPECIFIED` among them, are refused. */
export const readRole = createEnumReader(['admin', 'member'], ROLES, 'ADMIN or MEMBER');
export const readUserStatus = createEnumReader(
  ['active', 'suspended', 'left'],
  STATUSES,
  'ACTIVE, SUSPENDED or LEFT',
);
export const readSsoConfigurationState = createEnumReader(
  ['active', 'inactive'],
  SSO_STATES,
  'ACTIVE or INACTIVE',
);
