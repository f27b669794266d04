/** Owns the page on which a configuration's rule is written. */
import { useQuery } from '@connectrpc/connect-query';
import { useQuery as usePlainQuery } from '@tanstack/react-query';
import { Link, useParams, useSearchParams } from 'wouter';

import { OrganizationService } from '../../../gen/gitpod/v1/organization_pb.ts';
import { ErrorNotice } from '../components/error-notice.tsx';
import { Loading } from '../components/loading.tsx';
import { Page } from '../components/page.tsx';
import { RuleEditor } from '../components/rule-editor.tsx';
import { findAttempt } from '../find-attempt.ts';
import { useWorkplace } from '../organization.tsx';

export function RulePage() {
  const { configuration: ssoConfigurationId } = useParams<{ configuration: string }>();
  const { organizationId } = useWorkplace();
  const [search] = useSearchParams();
  const attemptId = search.get('attempt') ?? '';
  const { data, error, refetch, isPending } = useQuery(
    OrganizationService.method.getSSOConfiguration,
    { ssoConfigurationId },
  );
  const attempt = usePlainQuery({
    queryKey: ['attempt', organizationId, attemptId],
    queryFn: async ({ signal }) =>
      (await findAttempt(organizationId, attemptId, { signal, tell: () => undefined })) ?? null,
    enabled: attemptId !== '',
    staleTime: Infinity,
  });
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
      {attempt.isError && (
        <ErrorNotice error={attempt.error} title="The login attempt could not be read" />
      )}
      {attempt.data === null && (
        <p className="notice warn">
          There is no login attempt <code>{attemptId}</code> any more. The sample claims are an
          example.
        </p>
      )}
      {isReady && (
        <RuleEditor key={stored.id} stored={stored} attempt={attempt.data ?? undefined} />
      )}
    </Page>
  );
}
