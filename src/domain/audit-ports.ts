/** Owns what the audit log asks of the store: the part of the store's contract that `ports.ts` takes up. */
import type { AuditRecord, AuditSubjectType } from './audit.ts';
import type { Page, PageRequest } from './page.ts';

/** What is left out does not narrow; what is given must all hold. */
export interface AuditQuery {
  /** Absent means all of them, and the server's own records. */
  readonly organizationId?: string | undefined;
  readonly actorIds?: readonly string[] | undefined;
  /** Whether it is known which user it was. */
  readonly hasActor?: boolean | undefined;
  readonly subjectIds?: readonly string[] | undefined;
  readonly subjectTypes?: readonly AuditSubjectType[] | undefined;
  /** At this time and later. */
  readonly from?: Date | undefined;
  /** Before this time. */
  readonly to?: Date | undefined;
  readonly descending: boolean;
}

export interface AuditReader {
  /**
   * The records sorted by time, ties by id. A login attempt is among them as the record of its sign-in: `sign_in`, with
   * the configuration as its subject.
   */
  listAuditRecords(query: AuditQuery, page: PageRequest): Promise<Page<AuditRecord>>;
}

export interface AuditWriter {
  /** Records outlive what they tell of: they belong to no row. */
  insertAuditRecord(record: AuditRecord): Promise<void>;
}
