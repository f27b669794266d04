/** Serves `claimgate.v1.MemberService`. */
import type { ServiceImpl } from '@connectrpc/connect';

import type { MemberService } from '../../gen/claimgate/v1/member_pb.ts';
import { createMember, reinstateMember, suspendMember } from '../domain/member.ts';
import type { Environment } from '../domain/ports.ts';
import { readCaller } from './caller.ts';
import { readRole, writeMember } from './convert.ts';

export function createMemberService(env: Environment): ServiceImpl<typeof MemberService> {
  return {
    async createMember({ organizationId, email, fullName, role }, context) {
      const member = await createMember(env, readCaller(context), {
        organizationId,
        email,
        name: fullName,
        role: role ? readRole(role, 'role') : 'member',
      });
      return { member: writeMember(member) };
    },

    async suspendMember({ userId }, context) {
      await suspendMember(env, readCaller(context), userId);
      return {};
    },

    async reinstateMember({ userId }, context) {
      await reinstateMember(env, readCaller(context), userId);
      return {};
    },
  };
}
