/**
 * Owns what is around all pages: what they are given, who is let in, and which organization an address means. An
 * operator's addresses of another organization begin with `/organizations/{id}`; all others mean the user's own.
 */
import { TransportProvider } from '@connectrpc/connect-query';
import { QueryClientProvider } from '@tanstack/react-query';
import { Suspense } from 'react';
import { Redirect, Route, Router, Switch } from 'wouter';

import { ErrorBoundary } from './components/error-boundary.tsx';
import { ErrorNotice } from './components/error-notice.tsx';
import { Loading } from './components/loading.tsx';
import { FIRST_PATH, PAGES } from './navigation.tsx';
import { createWorkplace, useWorkplace, WorkplaceProvider } from './organization.tsx';
import type { Workplace } from './organization.tsx';
import { NotFoundPage } from './pages/not-found-page.tsx';
import { SignInPage } from './pages/sign-in-page.tsx';
import { SignedInPage } from './pages/signed-in-page.tsx';
import { BASE_PATH } from './public-url.ts';
import { queryClient } from './query-client.ts';
import { useSessionQuery } from './session.ts';
import type { ConsoleSession } from './session.ts';
import { Shell } from './shell.tsx';
import { transport } from './transport.ts';
import { askBeforeLeaving } from './unsaved-work.ts';

export function App() {
  return (
    <TransportProvider transport={transport}>
      <QueryClientProvider client={queryClient}>
        <Router base={BASE_PATH} aroundNav={askBeforeLeaving}>
          <ErrorBoundary>
            <Entrance />
          </ErrorBoundary>
        </Router>
      </QueryClientProvider>
    </TransportProvider>
  );
}

/** Lets in who has a session; all others sign in at the address that they came for. */
function Entrance() {
  const { data: session, error, refetch, isPending } = useSessionQuery();
  if (isPending) return <Loading what="Claimgate" />;
  if (session === undefined) {
    return (
      <main className="alone">
        <h1>Claimgate</h1>
        <ErrorNotice error={error} onRetry={() => void refetch()} />
      </main>
    );
  }
  return session === null ? <SignInPage /> : <Organizations session={session} />;
}

function Organizations({ session }: { readonly session: ConsoleSession }) {
  return (
    <Switch>
      <Route path="/organizations/:organization" nest>
        {({ organization }) => <Pages workplace={createWorkplace(session, organization)} />}
      </Route>
      <Route>
        <Pages workplace={createWorkplace(session)} />
      </Route>
    </Switch>
  );
}

function Pages({ workplace }: { readonly workplace: Workplace }) {
  return (
    <WorkplaceProvider value={workplace}>
      <Shell>
        <ErrorBoundary>
          <Suspense fallback={<Loading what="the page" />}>
            <Switch>
              <Route path="/">
                <FirstPage />
              </Route>
              {PAGES.filter(({ audience }) => workplace.isAdmin || audience === 'anyone').map(
                ({ path, page }) => (
                  <Route key={path} path={path} component={page} />
                ),
              )}
              <Route>
                <NotFoundPage />
              </Route>
            </Switch>
          </Suspense>
        </ErrorBoundary>
      </Shell>
    </WorkplaceProvider>
  );
}

function FirstPage() {
  return useWorkplace().isAdmin ? <Redirect to={FIRST_PATH} replace /> : <SignedInPage />;
}
