/**
 * Owns the remembering of what was read, for as long as nothing at all has been committed since. It refuses to guess:
 * every use asks the database first, so what is remembered is what would be read.
 */
import type { Awaitable } from '../domain/awaitable.ts';
import { markLasting } from '../domain/lasting.ts';

/** A number that is another one after every commit to the database, whoever made it. */
export type ReadVersion = () => number;

/** How the version is asked for. */
export interface Versions {
  /** Of this very moment. */
  readonly ask: ReadVersion;
  /** Of this moment, or of an earlier one in this turn of the event loop at which somebody asked. */
  readonly recall: ReadVersion;
  /** To be called when this process has committed, before anybody is told. */
  readonly forget: () => void;
}

/**
 * Asking takes two system calls. Every call asks when its credentials are checked, so what it recalls afterwards is its
 * own answer or a later one, and all that it reads was true at some moment while it was under way.
 */
export function createVersions(readVersion: ReadVersion): Versions {
  let recent: number | undefined;
  const forget = (): void => {
    recent = undefined;
  };
  const ask = (): number => {
    if (recent === undefined) setImmediate(forget);
    recent = readVersion();
    return recent;
  };
  return { ask, recall: () => recent ?? ask(), forget };
}

/** How much text one kind of value may hold together, in characters: about as many bytes. */
const CAPACITY = 1024 * 1024;
/** What is larger than this would drive out too much. */
const MAX_SIZE = CAPACITY / 8;
/** Of a value without any text. */
const LEAST_SIZE = 16;

interface Remembered<Value> {
  /** Absent where there is one, and it is too large. */
  readonly value: Value | undefined;
  readonly size: number;
}

/**
 * What is not there is not remembered: strangers can ask for that without end.
 *
 * @param toKey tells each question from all others; what has none is not remembered
 */
export function rememberReads<
  Question extends readonly unknown[],
  Value extends object | undefined,
>(
  read: (...question: Question) => Awaitable<Value>,
  readVersion: ReadVersion,
  toKey: (...question: Question) => string | undefined,
): typeof read {
  const remembered = new Map<string, Remembered<Value>>();
  let version = Number.NaN;
  let size = 0;

  const remember = (key: string, value: Value & object): void => {
    const whole = key.length + measure(value);
    const isKept = whole <= MAX_SIZE;
    const added = isKept
      ? { value: markLasting(value), size: whole }
      : { value: undefined, size: key.length + LEAST_SIZE };
    remembered.set(key, added);
    size += added.size;
    for (const [oldest, dropped] of remembered) {
      if (size <= CAPACITY) break;
      remembered.delete(oldest);
      size -= dropped.size;
    }
  };
  const readAnew = async (question: Question, key: string, current: number): Promise<Value> => {
    const value = await read(...question);
    // Others may have seen a later version while this waited for its answer.
    if (value !== undefined && version === current && !remembered.has(key)) remember(key, value);
    return value;
  };

  return (...question) => {
    const key = toKey(...question);
    if (key === undefined) return read(...question);
    const current = readVersion();
    if (current !== version) {
      remembered.clear();
      size = 0;
      version = current;
    }
    return remembered.get(key)?.value ?? readAnew(question, key, current);
  };
}

/** The text in a value and in what it holds, in characters. */
function measure(value: unknown): number {
  if (typeof value === 'string') return LEAST_SIZE + value.length;
  let size = LEAST_SIZE;
  if (typeof value !== 'object' || value === null) return size;
  for (const part of Object.values(value)) size += measure(part);
  return size;
}
