/** Owns where the test identity provider keeps its sessions and codes: in memory, for as long as it runs. */
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';

/** One store for one provider; each kind of thing has its own drawer. Expiry is checked by the provider itself. */
export function createMemoryStorage(): AdapterFactory {
  const drawers = new Map<string, Map<string, AdapterPayload>>();
  return (kind): Adapter => {
    const drawer = drawers.get(kind) ?? new Map<string, AdapterPayload>();
    drawers.set(kind, drawer);
    const findBy = (matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined =>
      [...drawer.values()].find(matches);
    return {
      upsert: async (id, payload) => void drawer.set(id, payload),
      find: async (id) => drawer.get(id),
      findByUid: async (uid) => findBy((payload) => payload.uid === uid),
      findByUserCode: async (userCode) => findBy((payload) => payload.userCode === userCode),
      async consume(id) {
        const payload = drawer.get(id);
        if (payload !== undefined) payload['consumed'] = Math.floor(Date.now() / 1000);
      },
      destroy: async (id) => void drawer.delete(id),
      async revokeByGrantId(grantId) {
        for (const [id, payload] of drawer) {
          if (payload.grantId === grantId) drawer.delete(id);
        }
      },
    };
  };
}
