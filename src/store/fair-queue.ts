/** Owns the taking of turns: first come, first served, one at a time. */

export interface FairQueue {
  /** Resolves, when it is the caller's turn, to the function that ends it. */
  enter(): Promise<() => void>;
  /** Whether anyone waits. */
  isAwaited(): boolean;
}

export function createFairQueue(): FairQueue {
  let last: Promise<void> = Promise.resolve();
  let entered = 0;
  return {
    async enter() {
      const { promise: ended, resolve: end } = Promise.withResolvers<void>();
      const before = last;
      last = ended;
      entered += 1;
      await before;
      return () => {
        entered -= 1;
        end();
      };
    },
    isAwaited: () => entered > 1,
  };
}
