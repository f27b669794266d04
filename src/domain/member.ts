/** Owns what an admin does to single members beside their role: make them beforehand, keep them out, let them in again. */
import { assertAdminOf, assertMayOversee, assertMayWrite } from './access.ts';
import type { Principal } from './access.ts';
import { describeActor, makeChange, recordAs, unchanged } from './audit.ts';
import type { Changed } from './audit.ts';
import { readEmailDomain } from './email-domain.ts';
import { createViolationError, DomainError } from './errors.ts';
import {
  assertAnotherAdmin,
  assertAnotherOperator,
  changeUser,
  getOrganizationAsAdmin,
  lockMember,
  memberNotFound,
} from './organization.ts';
import type { Role, User } from './organization.ts';
import type { Environment, StoreTransaction } from './ports.ts';

export interface CreateMemberInput {
  readonly organizationId: string;
  readonly email: string;
  /** The email when empty. */
  readonly name: string;
  readonly role: Role;
}

/** Makes a member who has not signed in yet; the first proven login with the email becomes them. */
export async function createMember(
  env: Environment,
  caller: Principal,
  input: CreateMemberInput,
): Promise<User> {
  assertMayWrite(caller);
  const organization = await getOrganizationAsAdmin(env, caller, input.organizationId);
  if (readEmailDomain(input.email) === undefined) {
    const message = 'must be an email address such as alice@example.com';
    throw createViolationError([{ field: 'email', rule: 'email.format', message }]);
  }
  const member: User = {
    id: env.newId(),
    organizationId: organization.id,
    name: input.name === '' ? input.email : input.name,
    email: input.email,
    avatarUrl: '',
    role: input.role,
    status: 'active',
    operator: false,
    loginProvider: 'none yet',
    createdAt: env.now(),
  };
  return makeChange(env, describeActor(caller), async (tx) => {
    // Emails are not unique in the store: two identity providers may vouch for one. Here, they are.
    await tx.lockOrganization(organization.id);
    if ((await tx.listUsersByEmail(organization.id, input.email)).length > 0) {
      throw new DomainError(
        'already_exists',
        'A member of the organization has this email. ListMembers shows them.',
        { reason: 'MEMBER_EXISTS' },
      );
    }
    await tx.insertUser(member);
    return recordAs(member, changeUser(member, 'user.created'));
  });
}

/** Ends the member's sessions, and refuses their tokens and logins from now on. */
export async function suspendMember(
  env: Environment,
  caller: Principal,
  userId: string,
): Promise<void> {
  await changeMember(env, caller, userId, async (tx, user) => {
    if (user.status === 'suspended') return unchanged(undefined);
    await assertAnotherAdmin(tx, user, 'suspended');
    await assertAnotherOperator(tx, user, 'suspended');
    await tx.updateUser({ ...user, status: 'suspended' });
    await tx.deleteSessionsOf(user.id);
    return recordAs(undefined, changeUser(user, 'user.suspended'));
  });
}

/** Their tokens and their role are as they were. */
export async function reinstateMember(
  env: Environment,
  caller: Principal,
  userId: string,
): Promise<void> {
  await changeMember(env, caller, userId, async (tx, user) => {
    if (user.status !== 'suspended') return unchanged(undefined);
    await tx.updateUser({ ...user, status: 'active' });
    return recordAs(undefined, changeUser(user, 'user.reinstated'));
  });
}

async function changeMember(
  env: Environment,
  caller: Principal,
  userId: string,
  change: (tx: StoreTransaction, user: User) => Promise<Changed<undefined>>,
): Promise<void> {
  assertMayWrite(caller);
  const user = await env.store.findUser(userId);
  if (user === undefined) throw memberNotFound();
  assertAdminOf(caller, user.organizationId, memberNotFound);
  // Who is kept out can use none of their tokens, and those of an operator are for operators.
  assertMayOversee(caller, user, memberNotFound);
  await makeChange(env, describeActor(caller), async (tx) => {
    // In the order of `deleteOrganization`, or the two could wait for each other.
    await tx.lockOperators();
    return change(tx, await lockMember(tx, user.organizationId, userId));
  });
}
