/** Owns for which organization the pages speak, and what the session may do there. */
import { createContext, use } from 'react';

import type { ConsoleSession } from './session.ts';

export interface Workplace {
  readonly session: ConsoleSession;
  readonly organizationId: string;
  /** Another organization than the user's own; operators only. */
  readonly isForeign: boolean;
  /** May see and change the organization's settings. */
  readonly isAdmin: boolean;
  /** May change things at all; a session of a read-only token may not. */
  readonly mayWrite: boolean;
}

const WorkplaceContext = createContext<Workplace | undefined>(undefined);

export const WorkplaceProvider = WorkplaceContext;

/** For pages: they are shown to somebody who is signed in only. */
export function useWorkplace(): Workplace {
  const workplace = use(WorkplaceContext);
  if (workplace === undefined) throw new Error('There is no workplace around this component.');
  return workplace;
}

/** @param organizationId the one in the address; absent for the user's own */
export function createWorkplace(
  session: ConsoleSession,
  organizationId = session.organizationId,
): Workplace {
  return {
    session,
    organizationId,
    isForeign: organizationId !== session.organizationId,
    isAdmin: session.operator || session.user.role === 'admin',
    mayWrite: !session.readOnly,
  };
}
