/**
 * Owns who may call what: every rule about callers is in this file, and every use case calls it first.
 *
 * An id of another organization is answered as an id that exists nowhere: the caller passes the `not_found` error to
 * throw, so that both answers are the same by construction.
 */
import { DomainError } from './errors.ts';
import type { Refused } from './errors.ts';
import type { Role, User } from './organization.ts';

/** Who calls, as far as the credentials prove it. */
export interface Principal {
  readonly userId: string;
  readonly organizationId: string;
  readonly role: Role;
  readonly operator: boolean;
  /** The credentials allow reading only. */
  readonly readOnly: boolean;
  readonly credential: Credential;
}

/** What a caller has proved with who they are; it is named in audit records. */
export interface Credential {
  readonly kind: 'token' | 'token_session' | 'sso_session';
  /** Of the token or the session: never the secret. */
  readonly id: string;
}

type NotFound = () => DomainError;

/** The services that answer callers without credentials. */
const OPEN_SERVICES: ReadonlySet<string> = new Set([
  'gitpod.v1.AccountService',
  // Whether the server can be called, and what its public schema says: nothing of anybody's.
  'grpc.health.v1.Health',
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
]);

/** Whether a call of this service needs credentials, by the service's full name. */
export function needsCredentials(service: string): boolean {
  return !OPEN_SERVICES.has(service);
}

/** The principal that an active user becomes with these credentials. */
export function createPrincipal(
  user: User,
  credentials: {
    readonly readOnly: boolean;
    readonly mayOperate: boolean;
    readonly credential: Credential;
  },
): Principal {
  return {
    userId: user.id,
    organizationId: user.organizationId,
    role: user.role,
    operator: user.operator && credentials.mayOperate,
    readOnly: credentials.readOnly,
    credential: credentials.credential,
  };
}

/** What a browser says of the page that makes it send a request. */
export interface BrowserOrigin {
  /** The `Origin` header (RFC 6454 §7). */
  readonly origin: string | undefined;
  /** The `Sec-Fetch-Site` header (Fetch Metadata). */
  readonly fetchSite: string | undefined;
}

/**
 * Whether a request that carries a cookie may count as its owner's wish: a browser sends cookies whoever's page asks.
 *
 * Browsers name the page's origin in `Origin` with every POST (Fetch §3.2), and whether it is ours in
 * `Sec-Fetch-Site`, which no page can set (Fetch Metadata §2.3). A request with neither comes from no browser of
 * today, and is refused.
 */
export function isTrustedOrigin(
  { origin, fetchSite }: BrowserOrigin,
  trusted: { readonly publicUrl: string; readonly allowedOrigins: readonly string[] },
): boolean {
  if (origin === undefined) return fetchSite === 'same-origin';
  if (origin === new URL(trusted.publicUrl).origin) return fetchSite !== 'cross-site';
  // Any sandboxed page sends "null".
  return origin !== 'null' && trusted.allowedOrigins.includes(origin);
}

/** The one rule for callers whose credentials do not hold. The reason stays with us, so that nobody can probe it. */
export function createUnauthenticatedError(refused?: Refused): DomainError {
  return new DomainError(
    'unauthenticated',
    'Missing or invalid credentials. Send "Authorization: Bearer <token>" with a personal access token that has neither expired nor been revoked.',
    refused === undefined ? {} : { refused },
  );
}

/** The same for credentials that are known; the caller is told no more, and the audit log why. */
export function refuseCredential(
  credential: Credential,
  { id, organizationId, status }: User,
): DomainError {
  const expired = credential.kind === 'token' ? 'TOKEN_EXPIRED' : 'SESSION_EXPIRED';
  const reason =
    status === 'suspended' ? 'USER_SUSPENDED' : status === 'left' ? 'USER_LEFT' : expired;
  const actor = { kind: credential.kind, userId: id, credentialId: credential.id };
  return createUnauthenticatedError({ actor, organizationId, reason });
}

/** Refuses credentials that may only read. */
export function assertMayWrite(caller: Principal): void {
  if (!caller.readOnly) return;
  throw new DomainError(
    'permission_denied',
    'This token is read-only. Use a token that was created without read_only.',
    { reason: 'READ_ONLY_TOKEN' },
  );
}

export function assertOperator(caller: Principal, toDo: string): void {
  if (caller.operator) return;
  throw new DomainError('permission_denied', `Only an operator may ${toDo}.`, {
    reason: 'OPERATOR_REQUIRED',
  });
}

export function assertMemberOf(
  caller: Principal,
  organizationId: string,
  notFound: NotFound,
): void {
  if (caller.operator || caller.organizationId === organizationId) return;
  throw notFound();
}

export function assertAdminOf(caller: Principal, organizationId: string, notFound: NotFound): void {
  assertMemberOf(caller, organizationId, notFound);
  assertAdmin(caller);
}

/** Of whatever organization. */
export function assertAdmin(caller: Principal): void {
  if (caller.operator || caller.role === 'admin') return;
  throw new DomainError(
    'permission_denied',
    'This needs the ADMIN role. Ask an admin of your organization.',
    { reason: 'ADMIN_REQUIRED' },
  );
}

/** Acting with a user's own credentials in mind: oneself, or an operator for anybody. */
export function assertSelf(caller: Principal, userId: string, notFound: NotFound): void {
  if (caller.operator || caller.userId === userId) return;
  throw notFound();
}

/**
 * Overseeing a user's credentials or membership: oneself, an admin of the user's organization, or an operator. An
 * operator's are for operators alone.
 */
export function assertMayOversee(caller: Principal, user: User, notFound: NotFound): void {
  if (caller.userId === user.id) return;
  assertAdminOf(caller, user.organizationId, notFound);
  if (!user.operator || caller.operator) return;
  throw new DomainError(
    'permission_denied',
    'This user is an operator, whose membership and tokens are for operators alone: without them, nobody could run this server any more.',
    { reason: 'TARGET_IS_OPERATOR' },
  );
}
