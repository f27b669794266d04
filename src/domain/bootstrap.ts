/** Owns the first start: an empty store gets an organization, an operator who is its admin, and a token. */
import { makeChange, recordAs, SYSTEM, unchanged } from './audit.ts';
import type { Environment } from './ports.ts';
import type { User } from './organization.ts';
import { digestToken, generateToken } from './token.ts';

export interface Bootstrapped {
  readonly organizationId: string;
  /** Only when it was generated here: the one moment at which it is known. */
  readonly generatedToken?: string | undefined;
}

/**
 * Fills an empty store; resolves to `undefined` when it is not empty. Atomic, and of several processes that start
 * together exactly one does it.
 *
 * @param givenToken what the operator chose as the token, at least 24 characters.
 */
export async function bootstrapStore(
  env: Pick<Environment, 'store' | 'now' | 'newId' | 'randomBytes'>,
  givenToken: string | undefined,
): Promise<Bootstrapped | undefined> {
  if (!(await env.store.isEmpty())) return undefined;
  const token = givenToken ?? generateToken(env.randomBytes);
  return makeChange(env, SYSTEM, async (tx) => {
    await tx.lockOperators();
    if (!(await tx.isEmpty())) return unchanged(undefined);
    const now = env.now();
    const organizationId = env.newId();
    const operator: User = {
      id: env.newId(),
      organizationId,
      name: 'Operator',
      email: '',
      avatarUrl: '',
      role: 'admin',
      status: 'active',
      operator: true,
      loginProvider: 'token',
      createdAt: now,
    };
    await tx.insertOrganization({
      id: organizationId,
      name: 'Default organization',
      inviteDomains: [],
      createdAt: now,
      updatedAt: now,
    });
    await tx.insertUser(operator);
    await tx.insertPersonalAccessToken(
      {
        id: env.newId(),
        userId: operator.id,
        description: 'Made at the first start',
        creatorId: operator.id,
        readOnly: false,
        createdAt: now,
        expiresAt: undefined,
        lastUsedAt: undefined,
      },
      digestToken(token),
    );
    const bootstrapped = {
      organizationId,
      generatedToken: givenToken === undefined ? token : undefined,
    };
    return recordAs(bootstrapped, {
      action: 'server.bootstrapped',
      organizationId,
      subject: { type: 'organization', id: organizationId },
    });
  });
}
