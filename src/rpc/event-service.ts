/** Serves `gitpod.v1.EventService`: the audit log as its published clients know it. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';

import { listAuditRecords } from '../domain/audit-log.ts';
import type { AuditQuery } from '../domain/audit-ports.ts';
import type { AuditRecord, AuditSubjectType } from '../domain/audit.ts';
import { createViolationError } from '../domain/errors.ts';
import type { Environment } from '../domain/ports.ts';
import { AuditLogEntryKind, ResourceType } from '../../gen/gitpod/v1/event_pb.ts';
import type {
  EventService,
  ListAuditLogsRequest_Filter,
  ListAuditLogsResponse_AuditLogEntrySchema,
} from '../../gen/gitpod/v1/event_pb.ts';
import { Principal } from '../../gen/gitpod/v1/identity_pb.ts';
import { SortOrder } from '../../gen/gitpod/v1/pagination_pb.ts';
import { readIds, readTime } from './audit-filter.ts';
import { readCaller } from './caller.ts';
import { readPageRequest, writePageToken } from './pagination.ts';

const SUBJECT_TYPES: Readonly<Record<AuditSubjectType, ResourceType>> = {
  organization: ResourceType.ORGANIZATION,
  user: ResourceType.USER,
  personal_access_token: ResourceType.PERSONAL_ACCESS_TOKEN,
  sso_configuration: ResourceType.SSO_CONFIG,
  domain_verification: ResourceType.DOMAIN_VERIFICATION,
  signing_key: ResourceType.SECRET,
};

/** What is about credentials, by how its action begins. */
const CREDENTIALS = /^(?:personal_access_token|session|signing_key)\.|^sign_in$/;

export function createEventService(env: Environment): ServiceImpl<typeof EventService> {
  return {
    async listAuditLogs({ filter, sort, pagination }, context) {
      const caller = readCaller(context);
      if (sort !== undefined && sort.field !== '' && sort.field !== 'created_at') {
        const message = 'must be created_at, or left out';
        throw createViolationError([{ field: 'sort.field', rule: 'sort.field', message }]);
      }
      const query: AuditQuery = {
        organizationId: caller.organizationId,
        ...readFilter(filter),
        descending: sort?.order !== SortOrder.ASC,
      };
      const list = ['audit-logs', query];
      const page = await listAuditRecords(env, caller, query, readPageRequest(pagination, list));
      return {
        entries: page.rows.map(writeEntry),
        pagination: writePageToken(page.next, list),
      };
    },
  };
}

function readFilter(filter: ListAuditLogsRequest_Filter | undefined): Partial<AuditQuery> {
  if (filter === undefined) return {};
  const { actorIds, actorPrincipals, subjectIds, subjectTypes, from, to } = filter;
  // Only users are told from what is nobody's, so other principals have done nothing here.
  const known = new Set(actorPrincipals.filter((principal) => principal in PRINCIPALS));
  const nothing = actorPrincipals.length > 0 && known.size === 0;
  return {
    actorIds: nothing ? [] : readIds(actorIds),
    hasActor: known.size === 1 ? known.has(Principal.USER) : undefined,
    subjectIds: readIds(subjectIds),
    subjectTypes: subjectTypes.length === 0 ? undefined : readSubjectTypes(subjectTypes),
    from: readTime(from, 'filter.from'),
    to: readTime(to, 'filter.to'),
  };
}

/** The principals of our records. */
const PRINCIPALS: Readonly<Partial<Record<Principal, true>>> = {
  [Principal.USER]: true,
  [Principal.UNSPECIFIED]: true,
};

function readSubjectTypes(types: readonly ResourceType[]): readonly AuditSubjectType[] {
  const all = Object.keys(SUBJECT_TYPES).filter(isSubjectType);
  return all.filter((type) => types.includes(SUBJECT_TYPES[type]));
}

function isSubjectType(name: string): name is AuditSubjectType {
  return Object.hasOwn(SUBJECT_TYPES, name);
}

function writeEntry(
  record: AuditRecord,
): MessageInitShape<typeof ListAuditLogsResponse_AuditLogEntrySchema> {
  const { id, actor, subject, action, reason, at } = record;
  return {
    id,
    actorId: actor.userId ?? '',
    actorPrincipal: actor.userId === undefined ? Principal.UNSPECIFIED : Principal.USER,
    subjectId: subject?.id ?? '',
    subjectType: subject === undefined ? ResourceType.UNSPECIFIED : SUBJECT_TYPES[subject.type],
    action: reason === undefined ? action : `${action} refused: ${reason}`,
    createdAt: timestampFromDate(at),
    kind: CREDENTIALS.test(action)
      ? AuditLogEntryKind.CREDENTIAL_ACCESS
      : AuditLogEntryKind.RESOURCE_CHANGE,
  };
}
