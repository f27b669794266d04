/** Owns the page of one login attempt, for the id that a person was shown: how it ended, why, and what claims came. */
import { useQuery } from '@connectrpc/connect-query';
import { useParams } from 'wouter';

import {
  KeptClaimsState,
  LoginAttemptService,
} from '../../../gen/claimgate/v1/login_attempt_pb.ts';
import type {
  GetLoginAttemptResponse,
  KeptClaims,
  LoginAttempt,
} from '../../../gen/claimgate/v1/login_attempt_pb.ts';
import { toClaimgateError } from '../../client/claimgate-error.ts';
import { readAttemptId } from '../attempt-id.ts';
import { AttemptCard } from '../components/attempt-card.tsx';
import { Button, ButtonLink } from '../components/button.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { ErrorNotice } from '../components/error-notice.tsx';
import { Loading } from '../components/loading.tsx';
import { Page } from '../components/page.tsx';
import { useNavigateOutside } from '../components/use-navigate-outside.ts';
import { useWorkplace } from '../organization.tsx';
import { spreadClaims } from '../sample-claims.ts';
import { useConfigurationNames } from './login-attempts-page.tsx';

export function LoginAttemptPage() {
  const { attempt: written } = useParams<{ attempt: string }>();
  const id = readAttemptId(written);
  const { data, error, refetch, isLoading } = useQuery(
    LoginAttemptService.method.getLoginAttempt,
    { loginAttemptId: id ?? '' },
    { enabled: id !== undefined },
  );
  const isUnknown =
    id === undefined || (error !== null && toClaimgateError(error).code === 'not_found');
  return (
    <Page
      title="Login attempt"
      lead="How one try to sign in went, and why."
      actions={<ButtonLink href="/attempts">All attempts</ButtonLink>}
    >
      {isLoading && <Loading what="the attempt" />}
      {isUnknown ? (
        <Unknown id={written} />
      ) : (
        error !== null && <ErrorNotice error={error} onRetry={() => void refetch()} />
      )}
      {data?.loginAttempt !== undefined && (
        <Found key={data.loginAttempt.id} attempt={data.loginAttempt} claims={data.claims} />
      )}
    </Page>
  );
}

function Unknown({ id }: { readonly id: string }) {
  return (
    <EmptyState
      title="There is no such attempt"
      action={<ButtonLink href="/attempts">To the attempts that there are</ButtonLink>}
    >
      <p>
        None of this organization has the id <code>{id}</code>. It may be misspelt, of another
        organization, a test login, or too old: attempts are kept for 30 days, and those that were
        let in for 7, unless the operator of this server set other times.
      </p>
    </EmptyState>
  );
}

interface FoundProps {
  readonly attempt: LoginAttempt;
  readonly claims: GetLoginAttemptResponse['claims'];
}

function Found({ attempt, claims }: FoundProps) {
  const { organizationId } = useWorkplace();
  const { nameOf } = useConfigurationNames();
  const navigateOutside = useNavigateOutside();
  if (attempt.organizationId !== organizationId) {
    const page = `/organizations/${attempt.organizationId}/attempts/${attempt.id}`;
    return (
      <EmptyState
        title="It is of another organization"
        action={<Button onPress={() => navigateOutside(page)}>Open it there</Button>}
      >
        <p>
          You are an operator, and may see it within its own organization,{' '}
          <code>{attempt.organizationId}</code>.
        </p>
      </EmptyState>
    );
  }
  return (
    <>
      <AttemptCard
        attempt={attempt}
        configurationName={nameOf(attempt.ssoConfigurationId)}
        isOpen
      />
      {claims !== undefined && <Claims attempt={attempt} claims={claims} />}
    </>
  );
}

function Claims({ attempt, claims }: { readonly attempt: LoginAttempt; claims: KeptClaims }) {
  const rulePage = `/configurations/${attempt.ssoConfigurationId}/rule?attempt=${attempt.id}`;
  return (
    <section className="card" aria-labelledby="claims">
      <h2 id="claims">What the identity provider said</h2>
      {claims.state === KeptClaimsState.KEPT ? (
        <>
          <p className="note">
            The claims, whole: they say who somebody is. Show them to nobody who need not know.
          </p>
          <pre>
            <code>{spreadClaims(claims.json)}</code>
          </pre>
          <ButtonLink href={rulePage}>Try a rule on these claims</ButtonLink>
        </>
      ) : (
        <p>{claims.detail}</p>
      )}
    </section>
  );
}
