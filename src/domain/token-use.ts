/** Owns the recording of when a token was last used, without a write for each call: uses gather and are written together. */
import type { Clock, Store } from './ports.ts';

export interface TokenUses {
  /** Notes a use, in memory. */
  note(tokenId: string): void;
  /** Writes what has gathered. What could not be written is kept for the next time. */
  flush(): Promise<void>;
}

export function createTokenUses(store: Store, now: Clock): TokenUses {
  let gathered = new Map<string, Date>();
  return {
    note(tokenId) {
      gathered.set(tokenId, now());
    },
    async flush() {
      if (gathered.size === 0) return;
      const uses = gathered;
      gathered = new Map();
      try {
        await store.transaction((tx) => tx.recordTokenUses(uses));
      } catch (error) {
        gathered = new Map([...uses, ...gathered]);
        throw error;
      }
    },
  };
}
