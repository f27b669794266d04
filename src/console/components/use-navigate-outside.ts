/** Owns the way to addresses that are not of the organization at hand. */
import { useCallback } from 'react';
import { navigate } from 'wouter/use-browser-location';

import { BASE_PATH } from '../public-url.ts';
import { mayLeave } from '../unsaved-work.ts';

/** Takes a path below the console's own, such as `/organizations/{id}/`. */
export function useNavigateOutside(): (path: string) => void {
  return useCallback((path) => {
    if (mayLeave()) navigate(`${BASE_PATH}${path}`);
  }, []);
}
