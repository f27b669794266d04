/** Owns the reading of audit records. How they come to be is in `audit.ts` and `refusal-recorder.ts`. */
import { assertAdminOf, assertOperator } from './access.ts';
import type { Principal } from './access.ts';
import type { AuditQuery } from './audit-ports.ts';
import type { AuditRecord } from './audit.ts';
import { organizationNotFound } from './organization.ts';
import type { Page, PageRequest } from './page.ts';
import type { Environment } from './ports.ts';

/**
 * The records of an organization, for its admins; without one, all of them and the server's own, for operators. These
 * may also read what is left of an organization that is gone.
 *
 * An empty list in the query is met by nothing.
 */
export async function listAuditRecords(
  env: Pick<Environment, 'store' | 'refusals'>,
  caller: Principal,
  query: AuditQuery,
  page: PageRequest,
): Promise<Page<AuditRecord>> {
  if (query.organizationId === undefined) assertOperator(caller, 'read the records of all');
  else assertAdminOf(caller, query.organizationId, organizationNotFound);
  const lists = [query.actorIds, query.subjectIds, query.subjectTypes];
  if (lists.some((list) => list?.length === 0)) return { rows: [] };
  // Who was refused just now finds it here.
  await env.refusals.settle();
  return env.store.listAuditRecords(query, page);
}
