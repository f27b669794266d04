/** Owns letting somebody see what is asked of a store. What it answers stays as it is. */
import type { StoreWatcher } from '../domain/observation.ts';
import type { Store } from '../domain/ports.ts';

export function watchStore(store: Store, watcher: StoreWatcher): Store {
  return {
    ...watchReads(store, watcher),
    transaction: (work) =>
      watcher.transaction((tell) =>
        store.transaction(async (tx) => {
          tell('begun');
          const result = await work(tx);
          tell('worked');
          return result;
        }),
      ),
    ping: () => watcher.ping(() => store.ping()),
    close: () => store.close(),
  };
}

/** Each method by another one of the same type, which the loop cannot know. */
function watchReads(store: Store, watcher: StoreWatcher): Store {
  const watched: Record<string, (...args: never[]) => unknown> = {};
  for (const [name, method] of Object.entries<(...args: never[]) => unknown>({ ...store }))
    watched[name] = (...args) => watcher.read(name, () => method(...args));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return watched as unknown as Store;
}
