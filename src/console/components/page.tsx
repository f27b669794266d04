/** Owns what each page begins with: its title, in the tab and on the page, and the focus when it is come to. */
import { useEffect, useRef } from 'react';
import type { ReactNode } from 'react';

/** Whether a page has been shown before: on the first one, the focus stays where the browser puts it. */
let hasShown = false;

export interface PageProps {
  readonly title: string;
  /** A sentence below the title. */
  readonly lead?: ReactNode;
  /** Beside the title, such as a button. */
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

export function Page({ title, lead, actions, children }: PageProps) {
  const heading = usePageTitle(title);
  return (
    <>
      <div className="page-head">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {actions !== undefined && <div className="actions">{actions}</div>}
      </div>
      {lead !== undefined && <p className="lead">{lead}</p>}
      {children}
    </>
  );
}

/** For pages that look otherwise. Their heading takes the ref and `tabIndex={-1}`. */
export function usePageTitle(title: string) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} – Claimgate`;
  }, [title]);
  useEffect(() => {
    // Screen readers then read the page's name, as they do when a document is loaded.
    if (hasShown) heading.current?.focus();
    hasShown = true;
  }, []);
  return heading;
}
