/**
 * Owns the audit record: what it holds, and the one way in which a use case changes anything. The record is written in
 * the transaction of its change, so there is never one without the other. It refuses to own refusals
 * (`refusal-recorder.ts`) and who may read (`audit-log.ts`).
 *
 * A record holds ids, codes and names of fields alone: nobody's name, no value and no secret. So it has a bounded size,
 * and nothing that somebody typed can make it look like another.
 */
import type { Principal } from './access.ts';
import type { Environment, StoreTransaction } from './ports.ts';

export type AuditActorKind =
  /** A user, by a personal access token, a session that was traded for one, or one that came of a login. */
  | 'token'
  | 'token_session'
  | 'sso_session'
  /** A person who is just signing in. */
  | 'sso_login'
  /** The server by itself. */
  | 'system'
  /** An operator at the machine, by a command that needs no token. */
  | 'command';

export interface AuditActor {
  readonly kind: AuditActorKind;
  readonly userId?: string | undefined;
  /** Of the token or session. */
  readonly credentialId?: string | undefined;
}

/** A session's is its user, a test login's what it tries. */
export type AuditSubjectType =
  | 'organization'
  | 'user'
  | 'personal_access_token'
  | 'sso_configuration'
  | 'domain_verification'
  | 'signing_key';

export interface AuditSubject {
  readonly type: AuditSubjectType;
  readonly id: string;
}

/** Everything that is recorded as done. What is refused is recorded under the name of what was asked for. */
export type ChangeAction =
  | 'server.bootstrapped'
  | 'organization.created'
  | 'organization.updated'
  | 'organization.deleted'
  | 'user.created'
  /** Found by an email that was proved at a login. */
  | 'user.linked'
  /** What a login says of a person had changed. */
  | 'user.updated'
  /** Somebody who had left signed in again. */
  | 'user.returned'
  | 'user.role_changed'
  | 'user.suspended'
  | 'user.reinstated'
  | 'user.left'
  | 'user.removed'
  | 'session.began'
  | 'session.ended'
  | 'personal_access_token.created'
  | 'personal_access_token.deleted'
  | 'sso_configuration.created'
  /** With the preview asked to enforce that nobody is shut out. */
  | 'sso_configuration.updated_guarded'
  | 'sso_configuration.updated'
  | 'sso_configuration.deleted'
  | 'test_login.started'
  | 'domain_verification.created'
  | 'domain_verification.verified'
  | 'domain_verification.deleted'
  | 'signing_key.created'
  | 'signing_key.deleted';

export interface Change {
  readonly action: ChangeAction;
  /** Whose admins may read of it; absent for what is the server's own. */
  readonly organizationId: string | undefined;
  readonly subject: AuditSubject;
  /** Names of what changed, never values. */
  readonly fields?: readonly string[];
}

export interface AuditRecord {
  readonly id: string;
  readonly organizationId: string | undefined;
  readonly at: Date;
  readonly actor: AuditActor;
  readonly subject: AuditSubject | undefined;
  /** A `ChangeAction`, `sign_in`, or what was asked for and refused, such as `UpdateSSOConfiguration`. */
  readonly action: string;
  /** Why it was refused; absent for what was done. */
  readonly reason: string | undefined;
  readonly fields: readonly string[];
  /** How many alike the record stands for: refusals that are repeated are counted together. */
  readonly count: number;
}

/** How long records are kept, in milliseconds. */
export interface AuditRetention {
  readonly maxAgeMs: number;
  /** Of sign-ins that succeeded, whose record is the login attempt, and of sign-outs. */
  readonly signInMaxAgeMs: number;
}

/** What a transaction comes to: its result, and what it changed. */
export interface Changed<Result> {
  readonly result: Result;
  readonly changes: readonly Change[];
}

/** The result of a transaction that changed this. */
export function recordAs<Result>(result: Result, ...changes: readonly Change[]): Changed<Result> {
  return { result, changes };
}

/** The result of a transaction that found nothing to change. */
export function unchanged<Result>(result: Result): Changed<Result> {
  return { result, changes: [] };
}

/**
 * Runs a use case's transaction. `work` says what it changed, and that is recorded in the same transaction. Other
 * transactions do bookkeeping alone; a test knows them by name (test/domain/audited-transactions.test.ts).
 *
 * @param actor of the result where it is known only then
 */
export async function makeChange<Result>(
  env: Pick<Environment, 'store' | 'now' | 'newId'>,
  actor: AuditActor | ((result: Result) => AuditActor),
  work: (tx: StoreTransaction) => Promise<Changed<Result>>,
): Promise<Result> {
  return env.store.transaction(async (tx) => {
    const { result, changes } = await work(tx);
    for (const change of changes) {
      await tx.insertAuditRecord({
        id: env.newId(),
        organizationId: change.organizationId,
        at: env.now(),
        actor: typeof actor === 'function' ? actor(result) : actor,
        subject: change.subject,
        action: change.action,
        reason: undefined,
        fields: change.fields ?? [],
        count: 1,
      });
    }
    return result;
  });
}

export function describeActor({ userId, credential }: Principal): AuditActor {
  return { kind: credential.kind, userId, credentialId: credential.id };
}

export const SYSTEM: AuditActor = { kind: 'system' };
export const COMMAND: AuditActor = { kind: 'command' };

/** The names, of those given, under which the two differ. */
export function listDifferences<Thing extends object>(
  before: Thing,
  after: Thing,
  names: readonly (keyof Thing & string)[],
): readonly string[] {
  return names
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map((name) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
}
