/** Owns what is remembered of the server's answers, and what is asked again. */
import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';

import { toClaimgateError } from '../client/claimgate-error.ts';
import { SESSION_KEY } from './session.ts';

const MAX_TRIES = 3;

/** A session that has ended shows in any call. Asking for it brings the sign-in page. */
function noticeEnd(error: unknown): void {
  if (toClaimgateError(error).code !== 'unauthenticated') return;
  void queryClient.invalidateQueries({ queryKey: SESSION_KEY });
}

export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: noticeEnd }),
  mutationCache: new MutationCache({ onError: noticeEnd }),
  defaultOptions: {
    queries: {
      staleTime: 5000,
      // What the server refuses, it refuses again.
      retry: (failures, error) =>
        failures < MAX_TRIES - 1 && toClaimgateError(error).code === 'unavailable',
    },
  },
});

/** After a change, whatever is shown is asked for again. */
export async function refreshAll(): Promise<void> {
  await queryClient.invalidateQueries({ predicate: ({ queryKey }) => queryKey !== SESSION_KEY });
}
