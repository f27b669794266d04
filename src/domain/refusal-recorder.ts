/**
 * Owns the records of refusals. There is no change whose transaction they could be in, and whoever is refused can ask
 * again at once: so a first refusal is written by itself, soon, and those like it are counted for a while and written as
 * one. Whoever is not known leaves no record, and who is known can make so many rows and no more.
 *
 * It refuses to know what was asked and how it is answered; whoever answers notes it here.
 */
import type { AuditActor, AuditRecord, AuditSubject } from './audit.ts';
import type { Environment } from './ports.ts';

export interface Refusal {
  readonly actor: AuditActor;
  /** Of the one who was refused: its admins may read of it, and nobody else's. */
  readonly organizationId: string | undefined;
  /** What was asked for, such as `UpdateSSOConfiguration`. */
  readonly action: string;
  /** What it was to be done to, as the caller named it: it may be nothing's. */
  readonly subject?: AuditSubject | undefined;
  /** As the error says, such as `ADMIN_REQUIRED`. */
  readonly reason: string;
}

export interface RefusalRecorder {
  /** Returns at once. */
  note(refusal: Refusal): void;
  /** Waits until what was noted is written, or could not be: then it is kept and tried again. */
  settle(): Promise<void>;
  /** Writes the counts of the windows that have ended, and what could not be written before. */
  flush(): Promise<void>;
  /** Ends all windows, and writes their counts. */
  close(): Promise<void>;
}

export const REFUSAL_LIMITS = {
  /** Refusals of one actor, action and reason are counted together for so long, in milliseconds. */
  windowMs: 10 * 60_000,
  /** Kinds of refusals of one actor that are told apart in that time; further ones are counted as one kind. */
  kinds: 20,
  /** Actors of one organization that are told apart; further ones are counted as nobody's in it. */
  actorsOfOne: 100,
  /** Of all organizations together; further ones are counted as nobody's. */
  actors: 1000,
  /** Records that wait for a database which does not answer; further ones are lost. */
  waiting: 5000,
} as const;

/** The reason of a record that counts what is not told apart. */
export const FURTHER_REFUSALS = 'FURTHER_REFUSALS';

const BATCH = 100;

interface Window {
  readonly refusal: Refusal;
  readonly endsAt: number;
  /** Beside the first. */
  further: number;
}

/** Of one actor, by kind. */
type Windows = Map<string, Window>;

export function createRefusalRecorder(
  { store, now, newId }: Pick<Environment, 'store' | 'now' | 'newId'>,
  reportFailure: (error: unknown) => void,
): RefusalRecorder {
  /** By organization and user. */
  const organizations = new Map<string | undefined, Map<string | undefined, Windows>>();
  /** For whom there is no room. */
  const others: Windows = new Map();
  let actors = 0;
  const waiting: AuditRecord[] = [];
  let writing: Promise<void> | undefined;

  function note(refusal: Refusal): void {
    const { organizationId, actor } = refusal;
    const own = findWindows(organizationId, actor.userId);
    if (own !== undefined) return count(own, refusal);
    // Whose people are refused the most hides nothing of what the admins of others are to read.
    const shared = findWindows(organizationId, undefined);
    if (shared !== undefined) return count(shared, describeFurther({ ...NOBODY, organizationId }));
    return count(others, describeFurther(NOBODY));
  }

  function findWindows(
    organizationId: string | undefined,
    userId: string | undefined,
  ): Windows | undefined {
    const users = organizations.get(organizationId) ?? new Map<string | undefined, Windows>();
    const known = users.get(userId);
    if (known !== undefined) return known;
    if (actors >= REFUSAL_LIMITS.actors) return undefined;
    if (userId !== undefined && users.size >= REFUSAL_LIMITS.actorsOfOne) return undefined;
    actors += 1;
    const windows: Windows = new Map();
    organizations.set(organizationId, users.set(userId, windows));
    return windows;
  }

  function count(windows: Windows, refusal: Refusal): void {
    const hasRoom = windows.has(nameKind(refusal)) || windows.size < REFUSAL_LIMITS.kinds;
    const told = hasRoom ? refusal : describeFurther(refusal);
    const open = windows.get(nameKind(told));
    const time = now().getTime();
    if (open !== undefined && time < open.endsAt) {
      open.further += 1;
      return;
    }
    if (open !== undefined) end(open);
    const endsAt = time + REFUSAL_LIMITS.windowMs;
    windows.set(nameKind(told), { refusal: told, endsAt, further: 0 });
    write(told, 1);
  }

  function end({ refusal, further }: Window): void {
    if (further > 0) write(refusal, further);
  }

  function endAll(isOver: (window: Window) => boolean): void {
    endThose(others, isOver);
    for (const [organizationId, users] of organizations) {
      for (const [userId, windows] of users) {
        endThose(windows, isOver);
        if (windows.size === 0 && users.delete(userId)) actors -= 1;
      }
      if (users.size === 0) organizations.delete(organizationId);
    }
  }

  function endThose(windows: Windows, isOver: (window: Window) => boolean): void {
    for (const [kind, window] of windows) {
      if (!isOver(window)) continue;
      end(window);
      windows.delete(kind);
    }
  }

  function write({ actor, organizationId, action, subject, reason }: Refusal, count: number): void {
    if (waiting.length < REFUSAL_LIMITS.waiting) {
      const record = { id: newId(), at: now(), fields: [], count };
      waiting.push({ ...record, actor, organizationId, action, subject, reason });
    }
    writing ??= drain();
  }

  async function drain(): Promise<void> {
    try {
      while (waiting.length > 0) {
        const batch = waiting.slice(0, BATCH);
        await store.transaction(async (tx) => {
          for (const record of batch) await tx.insertAuditRecord(record);
        });
        waiting.splice(0, batch.length);
      }
    } catch (error) {
      reportFailure(error);
    }
    // Nothing is waited for since the last look at what waits, so nothing is left behind.
    writing = undefined;
  }

  async function settle(): Promise<void> {
    if (waiting.length > 0) writing ??= drain();
    await writing;
  }

  return {
    note,
    settle,
    async flush() {
      const time = now().getTime();
      endAll(({ endsAt }) => endsAt <= time);
      await settle();
    },
    async close() {
      endAll(() => true);
      await settle();
    },
  };
}

/** Stands for all for whom there is no room. */
const NOBODY: Pick<Refusal, 'actor' | 'organizationId'> = {
  actor: { kind: 'system' },
  organizationId: undefined,
};

function describeFurther({
  actor,
  organizationId,
}: Pick<Refusal, 'actor' | 'organizationId'>): Refusal {
  return { actor, organizationId, action: 'various', reason: FURTHER_REFUSALS };
}

function nameKind({ action, reason }: Refusal): string {
  return `${action} ${reason}`;
}
