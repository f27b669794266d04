/** Owns what a list shows that has nothing in it: why, and what to do next. */
import type { ReactNode } from 'react';

export function EmptyState({
  title,
  children,
  action,
}: {
  readonly title: string;
  readonly children: ReactNode;
  readonly action?: ReactNode;
}) {
  return (
    <section className="empty">
      <h2>{title}</h2>
      {children}
      {action !== undefined && <div className="actions">{action}</div>}
    </section>
  );
}
