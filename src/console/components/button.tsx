/** Owns buttons, and links that look like one. */
import type { ReactNode } from 'react';
import { Button as AriaButton } from 'react-aria-components/Button';
import type { ButtonProps as AriaButtonProps } from 'react-aria-components/Button';
import { Link } from 'wouter';

export type ButtonKind = 'primary' | 'secondary' | 'danger' | 'quiet';

export interface ButtonProps extends Omit<
  AriaButtonProps,
  'className' | 'style' | 'children' | 'isPending'
> {
  readonly kind?: ButtonKind;
  /** What it was pressed for is under way: it stays focused, and takes no press. */
  readonly isPending?: boolean;
  readonly children: ReactNode;
}

/**
 * A press of the mouse leaves the focus where it is, as in Safari: a field that loses it in the midst of a press shows what is wrong
 * with it, and moves the button away from under the pointer.
 *
 * The kit's own way of pending leaves behind, in its live region, an image without a name.
 */
export function Button({ kind = 'secondary', isPending = false, children, ...props }: ButtonProps) {
  const held = isPending ? HELD : {};
  return (
    <AriaButton {...props} {...held} ref={keepFocus} className={`button ${kind}`}>
      {isPending && <span className="spinner" aria-hidden="true" />}
      <span>{children}</span>
      {isPending && <span className="visually-hidden"> (in progress)</span>}
    </AriaButton>
  );
}

function keepFocus(button: HTMLButtonElement | null): (() => void) | undefined {
  if (button === null) return undefined;
  const prevent = (event: MouseEvent): void => event.preventDefault();
  button.addEventListener('mousedown', prevent);
  return () => button.removeEventListener('mousedown', prevent);
}

/** A button of type `button` submits no form. */
const HELD: AriaButtonProps = { type: 'button', onPress: () => undefined };

export function ButtonLink({
  kind = 'secondary',
  href,
  children,
}: {
  readonly kind?: ButtonKind;
  /** Within the organization, such as `/configurations`. */
  readonly href: string;
  readonly children: ReactNode;
}) {
  return (
    <Link href={href} className={`button ${kind}`}>
      {children}
    </Link>
  );
}
