/** Owns the page on which a configuration's rule is written. */
import { useQuery } from '@connectrpc/connect-query';
import { Link, useParams, useSearchParams } from 'wouter';

import { LoginAttemptService } from '../../../gen/claimgate/v1/login_attempt_pb.ts';
import { OrganizationService } from '../../../gen/gitpod/v1/organization_pb.ts';
import { ErrorNotice } from '../components/error-notice.tsx';
import { Loading } from '../components/loading.tsx';
import { Page } from '../components/page.tsx';
import { RuleEditor } from '../components/rule-editor.tsx';
import { readAttemptId } from '../attempt-id.ts';
import { readSample } from '../sample-claims.ts';

export function RulePage() {
  const { configuration: ssoConfigurationId } = useParams<{ configuration: string }>();
  const [search] = useSearchParams();
  const attemptId = readAttemptId(search.get('attempt') ?? '');
  const { data, error, refetch, isPending } = useQuery(
    OrganizationService.method.getSSOConfiguration,
    { ssoConfigurationId },
  );
  const attempt = useQuery(
    LoginAttemptService.method.getLoginAttempt,
    { loginAttemptId: attemptId ?? '' },
    { enabled: attemptId !== undefined, staleTime: Infinity },
  );
  const sample = attempt.data && readSample(attempt.data);
  const stored = data?.ssoConfiguration;
  const isReady = stored !== undefined && !attempt.isLoading;
  const name = stored?.displayName === '' ? stored.issuerUrl : stored?.displayName;
  return (
    <Page
      title="Rule: who gets in"
      lead={
        <>
          Of{' '}
          <Link href={`/configurations/${ssoConfigurationId}`}>{name ?? 'the configuration'}</Link>,
          as a CEL expression over what the identity provider says of a person. Nothing changes for
          anybody before it is saved.
        </>
      }
    >
      {(isPending || attempt.isLoading) && <Loading what="the rule" />}
      {error !== null && <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {attempt.isError && sample === undefined && (
        <ErrorNotice
          error={attempt.error}
          title="The login attempt could not be read: the sample claims are an example"
        />
      )}
      {attempt.isSuccess && sample === undefined && (
        <p className="notice warn">
          {attempt.data.claims?.detail} The sample claims below are an example.
        </p>
      )}
      {isReady && <RuleEditor key={stored.id} stored={stored} sample={sample} />}
    </Page>
  );
}
