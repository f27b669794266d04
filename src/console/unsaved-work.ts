/**
 * Owns the question before work that is not saved is thrown away: by a link or a step back within the console, or by
 * leaving it. It refuses to own the work.
 */
import { useEffect } from 'react';
import type { AroundNavHandler } from 'wouter';

let isUnsaved = false;

/** Whether the page may be left: nothing would be lost, or that is what is wanted. */
export function mayLeave(): boolean {
  // oxlint-disable-next-line no-alert -- it has to answer before the address changes, as the browser's own question does
  return (
    !isUnsaved || confirm('What you changed on this page is not saved. Leave it all the same?')
  );
}

/** For the router: asks before a link is followed. */
export const askBeforeLeaving: AroundNavHandler = (navigate, to, options) => {
  if (mayLeave()) navigate(to, options);
};

/** For work that is saved, or gone for good, when its page is about to be left. */
export function forgetUnsavedWork(): void {
  isUnsaved = false;
}

/** While it is changed, the page is not left without a question. One page has one work. */
export function useUnsavedWork(isChanged: boolean): void {
  useEffect(() => {
    if (!isChanged) return;
    isUnsaved = true;
    const { href } = location;
    const askBeforeStep = (event: PopStateEvent): void => {
      if (mayLeave()) return;
      // Before the router learns of it: the step is made again, forwards.
      event.stopImmediatePropagation();
      history.pushState(null, '', href);
    };
    const askBeforeEnd = (event: BeforeUnloadEvent): void => {
      if (isUnsaved) event.preventDefault();
    };
    addEventListener('popstate', askBeforeStep, { capture: true });
    addEventListener('beforeunload', askBeforeEnd);
    return () => {
      forgetUnsavedWork();
      removeEventListener('popstate', askBeforeStep, { capture: true });
      removeEventListener('beforeunload', askBeforeEnd);
    };
  }, [isChanged]);
}
