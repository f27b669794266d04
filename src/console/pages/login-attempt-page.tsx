/** Owns the page of one login attempt, for the id that a person was shown. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useParams } from 'wouter';

import { AttemptCard } from '../components/attempt-card.tsx';
import { ButtonLink } from '../components/button.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { ErrorNotice } from '../components/error-notice.tsx';
import { Loading } from '../components/loading.tsx';
import { Page } from '../components/page.tsx';
import { findAttempt } from '../find-attempt.ts';
import { useWorkplace } from '../organization.tsx';
import { useConfigurationNames } from './login-attempts-page.tsx';

export function LoginAttemptPage() {
  const { attempt: attemptId } = useParams<{ attempt: string }>();
  const { organizationId } = useWorkplace();
  const { nameOf } = useConfigurationNames();
  const [looked, setLooked] = useState(0);
  const { data, error, refetch, isPending } = useQuery({
    queryKey: ['attempt', organizationId, attemptId],
    // `null`, because a query may not answer with nothing.
    queryFn: async ({ signal }) =>
      (await findAttempt(organizationId, attemptId, { signal, tell: setLooked })) ?? null,
  });
  return (
    <Page title="Login attempt" actions={<ButtonLink href="/attempts">All attempts</ButtonLink>}>
      {isPending && (
        <Loading what={looked === 0 ? 'the attempt' : `the attempt: looked through ${looked}`} />
      )}
      {error !== null && <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {data === null && (
        <EmptyState
          title="There is no such attempt"
          action={<ButtonLink href="/attempts">To the attempts that there are</ButtonLink>}
        >
          <p>
            None of this organization has the id <code>{attemptId}</code>. It may be misspelt, of
            another organization, a test login, or too old: attempts are kept for 30 days unless the
            operator of this server set another time.
          </p>
        </EmptyState>
      )}
      {data !== null && data !== undefined && (
        <AttemptCard attempt={data} configurationName={nameOf(data.ssoConfigurationId)} isOpen />
      )}
    </Page>
  );
}
