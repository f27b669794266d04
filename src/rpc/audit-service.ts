/** Serves `claimgate.v1.AuditService`: the audit log with all that a record holds. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';

import type { AuditRecordSchema, AuditService } from '../../gen/claimgate/v1/audit_pb.ts';
import { listAuditRecords } from '../domain/audit-log.ts';
import type { AuditQuery } from '../domain/audit-ports.ts';
import type { AuditRecord } from '../domain/audit.ts';
import type { Environment } from '../domain/ports.ts';
import { readIds, readTime } from './audit-filter.ts';
import { readCaller } from './caller.ts';
import { readPageRequest, writePageToken } from './pagination.ts';

export function createAuditService(env: Environment): ServiceImpl<typeof AuditService> {
  return {
    async listAuditRecords({ organizationId, filter, pagination, ascending }, context) {
      const query: AuditQuery = {
        organizationId: organizationId || undefined,
        actorIds: readIds(filter?.actorIds ?? []),
        subjectIds: readIds(filter?.subjectIds ?? []),
        from: readTime(filter?.from, 'filter.from'),
        to: readTime(filter?.to, 'filter.to'),
        descending: !ascending,
      };
      const list = ['audit-records', query];
      const caller = readCaller(context);
      const page = await listAuditRecords(env, caller, query, readPageRequest(pagination, list));
      return {
        records: page.rows.map(writeAuditRecord),
        pagination: writePageToken(page.next, list),
      };
    },
  };
}

function writeAuditRecord(record: AuditRecord): MessageInitShape<typeof AuditRecordSchema> {
  const { id, organizationId, at, actor, subject, action, reason, fields, count } = record;
  return {
    id,
    organizationId: organizationId ?? '',
    createdAt: timestampFromDate(at),
    actorKind: actor.kind,
    actorId: actor.userId ?? '',
    credentialId: actor.credentialId ?? '',
    subjectType: subject?.type ?? '',
    subjectId: subject?.id ?? '',
    action,
    reason: reason ?? '',
    changedFields: [...fields],
    count: BigInt(count),
  };
}
