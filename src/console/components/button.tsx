/** Owns buttons, and links that look like one. */
import type { ReactNode } from 'react';
import { Button as AriaButton } from 'react-aria-components/Button';
import type { ButtonProps as AriaButtonProps } from 'react-aria-components/Button';
import { Link } from 'wouter';

export type ButtonKind = 'primary' | 'secondary' | 'danger' | 'quiet';

export interface ButtonProps extends Omit<AriaButtonProps, 'className' | 'style' | 'children'> {
  readonly kind?: ButtonKind;
  readonly children: ReactNode;
}

/** While it is pending it stays focused, takes no press, and says so. */
export function Button({ kind = 'secondary', children, ...props }: ButtonProps) {
  return (
    <AriaButton {...props} className={`button ${kind}`}>
      {props.isPending === true && <span className="spinner" aria-hidden="true" />}
      <span>{children}</span>
    </AriaButton>
  );
}

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
