/** Owns where the focus goes when what had it is gone. */

/** To the page's title, from which one finds on by keyboard. */
export function focusHeading(): void {
  document.querySelector<HTMLElement>('main h1')?.focus();
}
