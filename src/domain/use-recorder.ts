/**
 * Owns the recording of when something was last used, without a write for each call: uses gather in memory and are
 * written together.
 */
import type { Clock } from './ports.ts';

export interface Uses {
  /** Notes a use of the thing with this id. */
  note(id: string): void;
}

export interface UseRecorder extends Uses {
  /** Writes what has gathered. What could not be written is kept for the next time. */
  flush(): Promise<void>;
}

export function createUseRecorder(
  write: (uses: ReadonlyMap<string, Date>) => Promise<void>,
  now: Clock,
): UseRecorder {
  let gathered = new Map<string, Date>();
  return {
    note(id) {
      gathered.set(id, now());
    },
    async flush() {
      if (gathered.size === 0) return;
      const uses = gathered;
      gathered = new Map();
      try {
        await write(uses);
      } catch (error) {
        gathered = new Map([...uses, ...gathered]);
        throw error;
      }
    },
  };
}
