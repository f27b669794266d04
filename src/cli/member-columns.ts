/** Owns how members look, and how their roles are spelled, in all commands about them. */
import { OrganizationRole, OrganizationRoleSchema } from '../../gen/gitpod/v1/organization_pb.ts';
import type { OrganizationMember } from '../../gen/gitpod/v1/organization_pb.ts';
import { UserStatusSchema } from '../../gen/gitpod/v1/user_pb.ts';
import { formatEnum, formatText, formatTime } from './format-value.ts';
import type { Column } from './print.ts';

export const MEMBER_COLUMNS: readonly Column<OrganizationMember>[] = [
  { title: 'User id', read: ({ userId }) => formatText(userId) },
  { title: 'Name', read: ({ fullName }) => formatText(fullName) },
  { title: 'Email', read: ({ email }) => formatText(email) },
  { title: 'Role', read: ({ role }) => formatEnum(OrganizationRoleSchema, role) },
  { title: 'Status', read: ({ status }) => formatEnum(UserStatusSchema, status) },
  { title: 'Signs in by', read: ({ loginProvider }) => formatText(loginProvider) },
  { title: 'Joined', read: ({ memberSince }) => formatTime(memberSince) },
];

export const MEMBER_ROLES = {
  admin: OrganizationRole.ADMIN,
  member: OrganizationRole.MEMBER,
} as const;
