/**
 * Owns organizations and their members: what they are, and the use cases over them. It refuses to own who may call
 * (`access.ts`) and how people come in (`login.ts`).
 */
import {
  assertAdminOf,
  assertMayOversee,
  assertMayWrite,
  assertMemberOf,
  assertOperator,
  createUnauthenticatedError,
} from './access.ts';
import type { Principal } from './access.ts';
import { describeActor, listDifferences, makeChange, recordAs, unchanged } from './audit.ts';
import type { Change, ChangeAction } from './audit.ts';
import { whenReady } from './awaitable.ts';
import type { Awaitable } from './awaitable.ts';
import { readEmailDomain } from './email-domain.ts';
import { createViolationError, DomainError } from './errors.ts';
import type { Page, PageRequest } from './page.ts';
import type { Environment, StoreTransaction } from './ports.ts';

export type Role = 'admin' | 'member';
export type UserStatus = 'active' | 'suspended' | 'left';

/** A tenant. */
export interface Organization {
  readonly id: string;
  readonly name: string;
  /** Email domains whose people may be invited, as the admin wrote them. */
  readonly inviteDomains: readonly string[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A person within one organization. Who is in two organizations is two users. */
export interface User {
  readonly id: string;
  readonly organizationId: string;
  readonly name: string;
  /**
   * As it was given beforehand or said at the latest login; compared without regard to case. May be empty for a user who
   * never signed in by SSO.
   */
  readonly email: string;
  readonly avatarUrl: string;
  readonly role: Role;
  readonly status: UserStatus;
  /** May also create organizations and act in all of them. */
  readonly operator: boolean;
  /** What the user signs in with: the SSO configuration's display name, or `token`. */
  readonly loginProvider: string;
  readonly createdAt: Date;
}

export interface MemberFilter {
  /** Matches a part of the name or the email, without regard to case. Empty matches all. */
  readonly search: string;
  /** Empty means all. */
  readonly statuses: readonly UserStatus[];
  readonly roles: readonly Role[];
  readonly userIds: readonly string[];
}

export interface MemberSort {
  readonly field: 'name' | 'joined';
  readonly descending: boolean;
}

export interface MemberQuery {
  readonly organizationId: string;
  readonly filter: MemberFilter;
  readonly sort: MemberSort;
}

export interface CreateOrganizationInput {
  readonly name: string;
  /** Makes the caller an admin of the new organization, as a new user with the same name and email. */
  readonly join: boolean;
  /** Puts the domain of the caller's email on the organization's invite list. */
  readonly inviteMatchingDomain: boolean;
}

const MAX_INVITE_DOMAINS = 100;

/** An organization's name has 3 to 200 characters, counted in Unicode code points after trimming. */
const NAME_LENGTH = { min: 3, max: 200 } as const;

export const organizationNotFound = (): DomainError =>
  new DomainError(
    'not_found',
    'No such organization. Check organization_id; GetAuthenticatedIdentity names yours.',
    { reason: 'ORGANIZATION_NOT_FOUND' },
  );

export const memberNotFound = (): DomainError =>
  new DomainError(
    'not_found',
    'No such member in this organization. ListMembers shows who is there.',
    { reason: 'MEMBER_NOT_FOUND' },
  );

/** The user behind the credentials. */
export async function getAuthenticatedUser(env: Environment, caller: Principal): Promise<User> {
  const user = await env.store.findUser(caller.userId);
  if (user === undefined) throw createUnauthenticatedError();
  return user;
}

/** Finds an organization the caller may see, or fails as if it did not exist. */
export function getOrganization(
  env: Environment,
  caller: Principal,
  id: string,
): Awaitable<Organization> {
  assertMemberOf(caller, id, organizationNotFound);
  return whenReady(
    env.store.findOrganization(id),
    (organization) => organization ?? fail(organizationNotFound),
  );
}

/** As `getOrganization`, for an admin of it. */
export function getOrganizationAsAdmin(
  env: Environment,
  caller: Principal,
  id: string,
): Awaitable<Organization> {
  assertAdminOf(caller, id, organizationNotFound);
  return getOrganization(env, caller, id);
}

export async function createOrganization(
  env: Environment,
  caller: Principal,
  input: CreateOrganizationInput,
): Promise<{ readonly organization: Organization; readonly member?: User }> {
  assertMayWrite(caller);
  assertOperator(caller, 'create an organization');
  const name = checkName(input.name);
  return makeChange(env, describeActor(caller), async (tx) => {
    const self = await tx.findUser(caller.userId);
    const now = env.now();
    const inviteDomain = input.inviteMatchingDomain
      ? readEmailDomain(self?.email ?? '')
      : undefined;
    const organization: Organization = {
      id: env.newId(),
      name,
      inviteDomains: inviteDomain === undefined ? [] : [inviteDomain],
      createdAt: now,
      updatedAt: now,
    };
    await tx.insertOrganization(organization);
    const change = changeOrganization(organization.id, 'organization.created');
    if (!input.join || self === undefined) return recordAs({ organization }, change);
    const member: User = {
      ...self,
      id: env.newId(),
      organizationId: organization.id,
      role: 'admin',
      status: 'active',
      operator: false,
      createdAt: now,
    };
    await tx.insertUser(member);
    return recordAs({ organization, member }, change, changeUser(member, 'user.created'));
  });
}

/** An absent field stays as it is; an empty list of invite domains clears it. */
export async function updateOrganization(
  env: Environment,
  caller: Principal,
  id: string,
  change: {
    readonly name?: string | undefined;
    readonly inviteDomains?: readonly string[] | undefined;
  },
): Promise<Organization> {
  assertMayWrite(caller);
  assertAdminOf(caller, id, organizationNotFound);
  return makeChange(env, describeActor(caller), async (tx) => {
    const current = (await tx.lockOrganization(id)) ?? fail(organizationNotFound);
    const updated: Organization = {
      ...current,
      name: change.name === undefined ? current.name : checkName(change.name),
      inviteDomains: checkInviteDomains(change.inviteDomains) ?? current.inviteDomains,
      updatedAt: env.now(),
    };
    await tx.updateOrganization(updated);
    const fields = listDifferences(current, updated, ['name', 'inviteDomains']);
    return recordAs(updated, changeOrganization(id, 'organization.updated', fields));
  });
}

/** Deletes the organization with all it owns. The one that holds the last active operator cannot be deleted. */
export async function deleteOrganization(
  env: Environment,
  caller: Principal,
  id: string,
): Promise<void> {
  assertMayWrite(caller);
  assertAdminOf(caller, id, organizationNotFound);
  await makeChange(env, describeActor(caller), async (tx) => {
    // Operators are counted across organizations, so every deletion takes the same lock before it counts.
    await tx.lockOperators();
    if ((await tx.lockOrganization(id)) === undefined) throw organizationNotFound();
    if ((await tx.countActiveOperators({ outside: id })) === 0) {
      throw new DomainError(
        'failed_precondition',
        'This organization holds the last operator, and there would be nobody left who may act in all organizations or create one. It cannot be deleted.',
        { reason: 'LAST_OPERATOR' },
      );
    }
    await tx.deleteOrganization(id);
    return recordAs(undefined, changeOrganization(id, 'organization.deleted'));
  });
}

export async function listMembers(
  env: Environment,
  caller: Principal,
  query: MemberQuery,
  page: PageRequest,
): Promise<Page<User>> {
  await getOrganization(env, caller, query.organizationId);
  return env.store.listMembers(query, page);
}

export async function countMembers(
  env: Environment,
  caller: Principal,
  query: MemberQuery,
): Promise<number> {
  await getOrganization(env, caller, query.organizationId);
  return env.store.countMembers(query);
}

/** The last active admin of an organization cannot be demoted. */
export async function setRole(
  env: Environment,
  caller: Principal,
  organizationId: string,
  userId: string,
  role: Role,
): Promise<void> {
  assertMayWrite(caller);
  assertAdminOf(caller, organizationId, organizationNotFound);
  await makeChange(env, describeActor(caller), async (tx) => {
    const user = await lockMember(tx, organizationId, userId);
    if (user.role === role) return unchanged(undefined);
    if (role !== 'admin') await assertAnotherAdmin(tx, user, 'demoted');
    await tx.updateUser({ ...user, role });
    return recordAs(undefined, changeUser(user, 'user.role_changed', ['role']));
  });
}

/**
 * Takes a user out of the organization: oneself, or as an admin anybody but an operator, whom operators alone take out.
 * The user's tokens and sessions end with it. The last active admin cannot leave, nor the last active operator.
 */
export async function leaveOrganization(
  env: Environment,
  caller: Principal,
  userId: string,
): Promise<void> {
  assertMayWrite(caller);
  const target = (await env.store.findUser(userId)) ?? fail(memberNotFound);
  assertMayOversee(caller, target, memberNotFound);
  await makeChange(env, describeActor(caller), async (tx) => {
    // In the order of `deleteOrganization`, or the two could wait for each other.
    await tx.lockOperators();
    const user = await lockMember(tx, target.organizationId, userId);
    await assertAnotherAdmin(tx, user, 'removed');
    await assertAnotherOperator(tx, user, 'removed');
    await tx.updateUser({ ...user, status: 'left', role: 'member', operator: false });
    await tx.deletePersonalAccessTokensOf(user.id);
    await tx.deleteSessionsOf(user.id);
    const action = caller.userId === user.id ? 'user.left' : 'user.removed';
    return recordAs(undefined, changeUser(user, action));
  });
}

/**
 * A member who has not left, with the organization locked and then the user, whom a login at the same time may be
 * changing. A login locks them in this order, too.
 */
export async function lockMember(
  tx: StoreTransaction,
  organizationId: string,
  userId: string,
): Promise<User> {
  if ((await tx.lockOrganization(organizationId)) === undefined) throw organizationNotFound();
  const user = await tx.lockUser(userId);
  if (user === undefined || user.organizationId !== organizationId || user.status === 'left')
    throw memberNotFound();
  return user;
}

export async function assertAnotherAdmin(
  tx: StoreTransaction,
  user: User,
  what: string,
): Promise<void> {
  if (user.role !== 'admin' || user.status !== 'active') return;
  if ((await tx.countActiveAdmins(user.organizationId)) > 1) return;
  throw new DomainError(
    'failed_precondition',
    `The last admin of an organization cannot be ${what}. Make another member an admin with SetRole first.`,
    { reason: 'LAST_ADMIN' },
  );
}

/** Call with `lockOperators` held. */
export async function assertAnotherOperator(
  tx: StoreTransaction,
  user: User,
  what: string,
): Promise<void> {
  if (!user.operator || user.status !== 'active') return;
  if ((await tx.countActiveOperators({ except: user.id })) > 0) return;
  throw new DomainError(
    'failed_precondition',
    `The last operator cannot be ${what}: there would be nobody left who may create organizations, and no way to make another operator.`,
    { reason: 'LAST_OPERATOR' },
  );
}

function changeOrganization(
  id: string,
  action: ChangeAction,
  fields: readonly string[] = [],
): Change {
  return { action, organizationId: id, subject: { type: 'organization', id }, fields };
}

export function changeUser(
  { id, organizationId }: Pick<User, 'id' | 'organizationId'>,
  action: ChangeAction,
  fields: readonly string[] = [],
): Change {
  return { action, organizationId, subject: { type: 'user', id }, fields };
}

function checkInviteDomains(domains: readonly string[] | undefined): readonly string[] | undefined {
  if (domains === undefined || domains.length <= MAX_INVITE_DOMAINS) return domains;
  const message = `must have at most ${MAX_INVITE_DOMAINS} domains`;
  throw createViolationError([
    { field: 'invite_domains.domains', rule: 'invite_domains.max', message },
  ]);
}

function checkName(name: string): string {
  const length = Array.from(name.trim()).length;
  if (length >= NAME_LENGTH.min && length <= NAME_LENGTH.max) return name;
  throw createViolationError([
    {
      field: 'name',
      rule: 'organization.name',
      message: `must have ${NAME_LENGTH.min} to ${NAME_LENGTH.max} characters`,
    },
  ]);
}

function fail(create: () => DomainError): never {
  throw create();
}
