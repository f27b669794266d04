/** Owns which refused calls are told to the audit log, and what of them. Who is not known is not told of. */
import type { DescMethod, Message } from '@bufbuild/protobuf';
import type { UnaryRequest } from '@connectrpc/connect';

import { describeActor } from '../domain/audit.ts';
import type { AuditSubject, AuditSubjectType } from '../domain/audit.ts';
import { DomainError } from '../domain/errors.ts';
import type { ErrorReason } from '../domain/errors.ts';
import type { Environment } from '../domain/ports.ts';
import { principalKey } from './caller.ts';

type Refusing = Pick<Environment, 'refusals'>;

/** Rules that keep a caller who may from doing harm. */
const GUARD_RAILS: ReadonlySet<ErrorReason | undefined> = new Set([
  'LAST_ADMIN',
  'LAST_OPERATOR',
  'WOULD_SHUT_OUT',
] as const satisfies readonly ErrorReason[]);

/** Fields that name what a request is about, the narrowest first. */
const SUBJECT_FIELDS: readonly (readonly [field: string, type: AuditSubjectType])[] = [
  ['personalAccessTokenId', 'personal_access_token'],
  ['ssoConfigurationId', 'sso_configuration'],
  ['domainVerificationId', 'domain_verification'],
  ['userId', 'user'],
  ['organizationId', 'organization'],
];

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Notes what the caller may not do. An id that exists nowhere is noted as well as one of another organization: whoever
 * reads the record shall not learn from it which it was.
 */
export function noteRefusal(
  { refusals }: Refusing,
  { contextValues, method, message }: Pick<UnaryRequest, 'contextValues' | 'method' | 'message'>,
  error: unknown,
): void {
  const caller = contextValues.get(principalKey);
  if (caller === undefined || !(error instanceof DomainError)) return;
  const { code, reason } = error;
  if (code !== 'permission_denied' && code !== 'not_found' && !GUARD_RAILS.has(reason)) return;
  refusals.note({
    actor: describeActor(caller),
    organizationId: caller.organizationId,
    action: method.name,
    subject: readSubject(message),
    reason: reason ?? code,
  });
}

/** Notes credentials that we know and do not take. */
export function noteRefusedCredentials(
  { refusals }: Refusing,
  method: DescMethod,
  error: unknown,
): void {
  if (!(error instanceof DomainError) || error.refused === undefined) return;
  refusals.note({ ...error.refused, action: method.name });
}

function readSubject(message: Message): AuditSubject | undefined {
  const fields = new Map<string, unknown>(Object.entries(message));
  for (const [field, type] of SUBJECT_FIELDS) {
    const id = fields.get(field);
    if (typeof id === 'string' && UUID.test(id)) return { type, id };
  }
  return undefined;
}
