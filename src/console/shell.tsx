/** Owns what stands around each page: the way to the others, the organization, and who is signed in. */
import { useQuery } from '@connectrpc/connect-query';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';

import { OrganizationService } from '../../gen/gitpod/v1/organization_pb.ts';
import { Button } from './components/button.tsx';
import { ErrorNotice } from './components/error-notice.tsx';
import { OrganizationSwitcher } from './components/organization-switcher.tsx';
import { PAGES } from './navigation.tsx';
import { useWorkplace } from './organization.tsx';
import { endSession } from './session.ts';
import { forgetUnsavedWork, mayLeave } from './unsaved-work.ts';

export function Shell({ children }: { readonly children: ReactNode }) {
  const workplace = useWorkplace();
  const { session, isAdmin } = workplace;
  const listed = PAGES.filter(
    ({ label, audience }) => label !== undefined && (isAdmin || audience === 'anyone'),
  );
  return (
    <>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="top">
        <Link href="/" className="brand">
          Claimgate
        </Link>
        <OrganizationName />
        <div className="who">
          <bdi className="name">{session.user.name}</bdi>
          {session.operator && <span className="badge">Operator</span>}
          {session.readOnly && <span className="badge">Read-only</span>}
          <SignOut />
        </div>
      </header>
      <div className="shell">
        {listed.length > 0 && (
          <nav aria-label="Pages">
            <ul>
              {listed.map(({ path, label }) => (
                <li key={path}>
                  <NavigationLink path={path} label={label ?? ''} />
                </li>
              ))}
            </ul>
          </nav>
        )}
        <main id="content">{children}</main>
      </div>
    </>
  );
}

function NavigationLink({ path, label }: { readonly path: string; readonly label: string }) {
  const [location] = useLocation();
  const isCurrent = location === path || location.startsWith(`${path}/`);
  return (
    <Link href={path} {...(isCurrent && { 'aria-current': location === path ? 'page' : 'true' })}>
      {label}
    </Link>
  );
}

function OrganizationName() {
  const { session, organizationId } = useWorkplace();
  const { data } = useQuery(OrganizationService.method.getOrganization, { organizationId });
  return (
    <div className="organization">
      <bdi>{data?.organization?.name ?? ''}</bdi>
      {session.operator && <OrganizationSwitcher />}
    </div>
  );
}

function SignOut() {
  const [error, setError] = useState<unknown>();
  const [isPending, setPending] = useState(false);
  return (
    <>
      <Button
        kind="quiet"
        isPending={isPending}
        onPress={() => {
          if (!mayLeave()) return;
          forgetUnsavedWork();
          setPending(true);
          endSession().catch((reason: unknown) => {
            setPending(false);
            setError(reason);
          });
        }}
      >
        Sign out
      </Button>
      {error !== undefined && <ErrorNotice error={error} />}
    </>
  );
}
