/**
 * Owns the gathering of reads: those of one kind that are asked for in the same turn of the event loop go to the
 * database as one statement. It refuses to keep anything: the statement is sent after all of them have been asked for,
 * so each sees at least what was committed by then. It waits for no other statement, so none that hangs delays it.
 */
import { DomainError } from '../domain/errors.ts';

type Read<Value> = (key: string) => Promise<Value | undefined>;

/** What is not there is not in the map. */
export type ReadMany<Value> = (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>;

/** Whose key is the same shares the answer. */
type Asked<Value> = Map<string, PromiseWithResolvers<Value | undefined>>;

/** How many keys a statement has at most. */
const MOST_KEYS = 100;

/** @param read for what comes alone, and where reading many has failed by one of them */
export function gatherReads<Value>(read: Read<Value>, readMany: ReadMany<Value>): Read<Value> {
  let gathered: Asked<Value> | undefined;

  const gather = (): Asked<Value> => {
    const asked: Asked<Value> = new Map();
    setImmediate(() => {
      if (gathered === asked) gathered = undefined;
      void answerAll(asked);
    });
    return asked;
  };

  const answerEach = (asked: Asked<Value>): void => {
    for (const [key, answer] of asked) read(key).then(answer.resolve, answer.reject);
  };

  /** Never throws: whatever happens is told to those who asked. */
  const answerAll = async (asked: Asked<Value>): Promise<void> => {
    if (asked.size === 1) {
      answerEach(asked);
      return;
    }
    try {
      const found = await readMany([...asked.keys()]);
      for (const [key, answer] of asked) answer.resolve(found.get(key));
    } catch (error) {
      // What is wrong with one key, or with what is stored under it, is told only to those who asked for that.
      if (!(error instanceof DomainError) || error.code !== 'unavailable') answerEach(asked);
      else for (const answer of asked.values()) answer.reject(error);
    }
  };

  return (key) => {
    if (gathered === undefined || gathered.size >= MOST_KEYS) gathered = gather();
    const known = gathered.get(key);
    if (known !== undefined) return known.promise;
    const answer = Promise.withResolvers<Value | undefined>();
    gathered.set(key, answer);
    return answer.promise;
  };
}
