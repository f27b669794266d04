/** Owns the list of an organization's SSO configurations. */
import { useInfiniteQuery } from '@connectrpc/connect-query';
import { Link } from 'wouter';

import {
  OrganizationService,
  SSOConfigurationState,
} from '../../../gen/gitpod/v1/organization_pb.ts';
import type { SSOConfiguration } from '../../../gen/gitpod/v1/organization_pb.ts';
import { Button, ButtonLink } from '../components/button.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { ErrorNotice } from '../components/error-notice.tsx';
import { Loading } from '../components/loading.tsx';
import { Page } from '../components/page.tsx';
import { StatusBadge } from '../components/status-badge.tsx';
import { useWorkplace } from '../organization.tsx';

const PAGE_SIZE = 50;

export function ConfigurationsPage() {
  const { organizationId, mayWrite } = useWorkplace();
  const list = useInfiniteQuery(
    OrganizationService.method.listSSOConfigurations,
    { organizationId, pagination: { pageSize: PAGE_SIZE, token: '' } },
    {
      pageParamKey: 'pagination',
      getNextPageParam: ({ pagination }) =>
        pagination === undefined || pagination.nextToken === ''
          ? undefined
          : { pageSize: PAGE_SIZE, token: pagination.nextToken },
    },
  );
  const rows = list.data?.pages.flatMap(({ ssoConfigurations }) => ssoConfigurations) ?? [];
  const create = mayWrite && (
    <ButtonLink kind="primary" href="/configurations/new">
      Set up single sign-on
    </ButtonLink>
  );
  return (
    <Page
      title="Configurations"
      lead="Each one connects this organization to an identity provider, and says who gets in."
      actions={rows.length > 0 && create}
    >
      {list.isPending && <Loading what="the configurations" />}
      {list.isError && <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isSuccess && rows.length === 0 && (
        <EmptyState title="No configuration yet" action={create}>
          <p>
            Set up single sign-on to let people sign in through your identity provider, such as
            Okta, Entra ID or Google. You need to be an admin there; it takes about ten minutes, and
            nobody is let in before you switch it on.
          </p>
        </EmptyState>
      )}
      {rows.length > 0 && (
        <ul className="cards">
          {rows.map((row) => (
            <ConfigurationCard key={row.id} configuration={row} />
          ))}
        </ul>
      )}
      {list.hasNextPage && (
        <Button isPending={list.isFetchingNextPage} onPress={() => void list.fetchNextPage()}>
          Show more
        </Button>
      )}
    </Page>
  );
}

function ConfigurationCard({ configuration }: { readonly configuration: SSOConfiguration }) {
  const { id, displayName, issuerUrl, emailDomains, state } = configuration;
  const isActive = state === SSOConfigurationState.SSO_CONFIGURATION_STATE_ACTIVE;
  return (
    <li className="card">
      <div className="card-head">
        <h2>
          <Link href={`/configurations/${id}`}>
            <bdi>{displayName === '' ? issuerUrl : displayName}</bdi>
          </Link>
        </h2>
        <StatusBadge tone={isActive ? 'good' : 'plain'}>{isActive ? 'On' : 'Off'}</StatusBadge>
      </div>
      <p className="note">
        <bdi>{issuerUrl}</bdi>
      </p>
      <p>
        {emailDomains.length === 0
          ? 'No email domain yet: nobody is led here.'
          : emailDomains.join(', ')}
      </p>
    </li>
  );
}
