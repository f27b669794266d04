/**
 * Owns the transactions of one writing connection: they take turns, and those that come while others are on their way
 * reach the disk together, by one COMMIT.
 *
 *   begin ─▶ (BEGIN IMMEDIATE, if no group is open) SAVEPOINT ─▶ … ─▶ commit:   RELEASE ─┐
 *                                                                └─▶ rollback: ROLLBACK TO ┴▶ its turn ends, the next begins
 *   the event loop has nothing more at hand ─▶ COMMIT ─▶ all of the group are told
 *
 * Each is whole, or undone alone; none is told that it is done before it is on the disk. It refuses to own statements
 * (`node-sqlite-dialect.ts`).
 */
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { retryWhileBusy } from './busy-retry.ts';
import { createFairQueue } from './fair-queue.ts';
import { createBusyError, runTranslated, translateSqliteError } from './sqlite-errors.ts';

/** One transaction, from its turn to the end of it. */
export interface Turn {
  /** Holds the file's write lock from here on. */
  begin(): Promise<void>;
  /** To be told what is overwritten only when the log is emptied. */
  noteDeletion(): void;
  /** Resolves when it is on the disk. */
  commit(): Promise<void>;
  /** Resolves when what it has seen is on the disk, or undone too. */
  rollback(): Promise<void>;
  /** For one that has neither committed nor rolled back. */
  end(): void;
}

export interface GroupCommit {
  /** @param waitMs how long to wait for those before it and for other processes, until it is `unavailable`. */
  enter(waitMs: number): Promise<Turn>;
  /** Runs this after all that was asked for before. */
  close(run: () => void): Promise<void>;
}

/** What shares one COMMIT. */
interface Group {
  readonly ended: PromiseWithResolvers<void>;
  hasDeletions: boolean;
  /** Of those that asked to commit. */
  members: number;
}

/** Errors of those that another one of their group took along: SQLite undid all when the disk was full. */
const undone = new WeakSet<Error>();

/** Whether the transaction failed by no fault of its own, so that it may do better alone. */
export function isUndoneByAnother(error: unknown): boolean {
  return error instanceof Error && undone.has(error);
}

function createUndoneError(): Error {
  const error = createBusyError();
  undone.add(error);
  return error;
}

export function createGroupCommit(database: DatabaseSync): GroupCommit {
  const queue = createFairQueue();
  let group: Group | undefined;
  let remainders = false;

  async function open(waitUntil: number): Promise<Group> {
    if (group !== undefined && database.isTransaction) return group;
    // SQLite may have rolled back by itself, such as when the disk was full.
    if (group !== undefined) abandon(group, createUndoneError());
    try {
      await retryWhileBusy(() => database.exec('BEGIN IMMEDIATE'), waitUntil);
    } catch (error) {
      throw translateSqliteError(error);
    }
    const opened: Group = { ended: Promise.withResolvers(), hasDeletions: false, members: 0 };
    // Whoever waits for it is told; nobody need.
    opened.ended.promise.catch(() => undefined);
    group = opened;
    void commitSoon(opened);
    return opened;
  }

  /** All that arrived while the disk was busy have had their turn by then. */
  async function commitSoon(opened: Group): Promise<void> {
    await setImmediate();
    const end = await queue.enter();
    if (group === opened) commitNow(opened);
    end();
  }

  /** Never throws: whatever happens is told to the group. */
  function commitNow(opened: Group): void {
    group = undefined;
    try {
      if (opened.members > 0 && !database.isTransaction) throw createUndoneError();
      if (database.isTransaction) runTranslated(() => database.exec('COMMIT'));
    } catch (error) {
      rollBack(database);
      opened.ended.reject(error);
      return;
    }
    remainders ||= opened.hasDeletions;
    if (remainders && !queue.isAwaited()) remainders = !emptyWriteAheadLog(database);
    opened.ended.resolve();
  }

  function abandon(opened: Group, reason: Error): void {
    group = undefined;
    opened.ended.reject(reason);
  }

  function takeTurn(endTurn: () => void, waitUntil: number): Turn {
    let joined: Group | undefined;
    let deletes = false;
    let isOver = false;
    const end = (): void => {
      if (!isOver) endTurn();
      isOver = true;
    };
    return {
      async begin() {
        joined = await open(waitUntil);
        runTranslated(() => database.exec('SAVEPOINT member'));
      },
      noteDeletion() {
        deletes = true;
      },
      async commit() {
        runTranslated(() => database.exec('RELEASE member'));
        const { promise } = note(joined);
        end();
        await promise;
      },
      async rollback() {
        // Kysely asks for it also when a commit has failed, and by then it is somebody else's turn.
        if (isOver) return;
        if (database.isOpen && database.isTransaction) undoMember();
        end();
        await joined?.ended.promise.catch(() => undefined);
      },
      end,
    };

    function undoMember(): void {
      try {
        runTranslated(() => database.exec('ROLLBACK TO member; RELEASE member'));
      } catch (error) {
        // Rather all of the group than a part of this one: the others are tried once more.
        rollBack(database);
        throw error;
      }
    }

    function note(mine: Group | undefined): PromiseWithResolvers<void> {
      if (mine === undefined || mine !== group) throw createUndoneError();
      mine.members += 1;
      mine.hasDeletions ||= deletes;
      return mine.ended;
    }
  }

  return {
    async enter(waitMs) {
      const waitUntil = performance.now() + waitMs;
      const end = await queue.enter();
      if (performance.now() <= waitUntil) return takeTurn(end, waitUntil);
      end();
      throw createBusyError();
    },
    async close(run) {
      const end = await queue.enter();
      try {
        if (group !== undefined) commitNow(group);
        run();
      } finally {
        end();
      }
    },
  };
}

function rollBack(database: DatabaseSync): void {
  try {
    if (database.isTransaction) database.exec('ROLLBACK');
  } catch {
    // Whoever begins next is told what is wrong.
  }
}

/**
 * What was deleted is overwritten in the database file (`secure_delete`), and still stands in the pages that the log
 * has of it. False when another process reads them just now.
 */
function emptyWriteAheadLog(database: DatabaseSync): boolean {
  try {
    return database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy'] === 0;
  } catch {
    return false;
  }
}
