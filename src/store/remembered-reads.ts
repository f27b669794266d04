/**
 * Owns the remembering of what was read, for as long as nothing at all has been committed since. It refuses to guess:
 * every use asks the database first, so what is remembered is what would be read.
 */

/** A number that is another one after every commit to the database, whoever made it. */
export type ReadVersion = () => number;

/** How many values are remembered at most. */
const CAPACITY = 1000;

/** What is not there is not remembered: strangers can ask for that without end. */
export function rememberReads<Value>(
  read: (key: string) => Promise<Value | undefined>,
  readVersion: ReadVersion,
): (key: string) => Promise<Value | undefined> {
  const remembered = new Map<string, Value>();
  let version = Number.NaN;
  return async (key) => {
    const current = readVersion();
    if (current !== version) {
      remembered.clear();
      version = current;
    }
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const value = await read(key);
    // Others may have seen a later version while this waited for its answer.
    if (value !== undefined && version === current) {
      const [oldest] = remembered.keys();
      if (remembered.size >= CAPACITY && oldest !== undefined) remembered.delete(oldest);
      remembered.set(key, value);
    }
    return value;
  };
}
