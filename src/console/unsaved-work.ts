/**
 * Owns the question before work that is not saved is thrown away: by a link or a step back within the console, or by
 * leaving it. It refuses to own the work.
 */
import { useEffect } from 'react';
import type { AroundNavHandler } from 'wouter';

/** The address of the page whose work is not saved. */
let unsaved: string | undefined;

/** Whether the page may be left: nothing would be lost, or that is what is wanted. */
export function mayLeave(): boolean {
  // It has to answer before the address changes, as the browser's own question does.
  return (
    unsaved === undefined ||
    // oxlint-disable-next-line no-alert -- see above
    confirm('What you changed on this page is not saved. Leave it all the same?')
  );
}

/** For the router: asks before a link is followed. */
export const askBeforeLeaving: AroundNavHandler = (navigate, to, options) => {
  if (mayLeave()) navigate(to, options);
};

/**
 * Asks before a step back or forward. To be called before the router listens: browsers tell a window's listeners in the
 * order in which they came.
 */
export function askBeforeSteps(): void {
  addEventListener('popstate', (event) => {
    if (mayLeave()) return;
    event.stopImmediatePropagation();
    // The browser is there already; a new step leads back.
    history.pushState(null, '', unsaved);
  });
}

/** For work that is saved, or gone for good, when its page is about to be left. */
export function forgetUnsavedWork(): void {
  unsaved = undefined;
}

/** While it is changed, the page is not left without a question. One page has one work. */
export function useUnsavedWork(isChanged: boolean): void {
  useEffect(() => {
    if (!isChanged) return;
    unsaved = location.href;
    // Only while it is needed: with such a listener, a browser may not keep the page to go back to.
    const askBeforeEnd = (event: BeforeUnloadEvent): void => {
      if (unsaved !== undefined) event.preventDefault();
    };
    addEventListener('beforeunload', askBeforeEnd);
    return () => {
      forgetUnsavedWork();
      removeEventListener('beforeunload', askBeforeEnd);
    };
  }, [isChanged]);
}
