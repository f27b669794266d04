/** Owns the list of an organization's email domains, and the adding of one. */
import { useInfiniteQuery, useMutation } from '@connectrpc/connect-query';
import { useState } from 'react';
import { Form } from 'react-aria-components/Form';

import { OrganizationService } from '../../../gen/gitpod/v1/organization_pb.ts';
import { Button } from '../components/button.tsx';
import { DomainCard } from '../components/domain-card.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { ErrorNotice, readValidationErrors } from '../components/error-notice.tsx';
import { Loading } from '../components/loading.tsx';
import { Page } from '../components/page.tsx';
import { ShowMore } from '../components/show-more.tsx';
import { TextField } from '../components/text-field.tsx';
import { useWorkplace } from '../organization.tsx';
import { BY_PAGES, FIRST_PAGE } from '../paging.ts';
import { refreshAll } from '../query-client.ts';

export function DomainsPage() {
  const { organizationId, mayWrite } = useWorkplace();
  const [told, tell] = useState('');
  const list = useInfiniteQuery(
    OrganizationService.method.listDomainVerifications,
    { organizationId, pagination: FIRST_PAGE },
    BY_PAGES,
  );
  const rows = list.data?.pages.flatMap(({ domainVerifications }) => domainVerifications) ?? [];
  return (
    <Page
      title="Domains"
      lead="A domain leads people to your single sign-on by their email address, once you have proved by DNS that it is yours."
    >
      {mayWrite && <Addition tell={tell} />}
      <output className="told">{told}</output>
      {list.isPending && <Loading what="the domains" />}
      {list.isError && !list.isFetchNextPageError && (
        <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />
      )}
      {list.isSuccess && rows.length === 0 && (
        <EmptyState title="No domain yet">
          <p>
            Add the domain of your people’s email addresses above, such as <code>example.com</code>.
            You get a DNS record to publish; when it is seen, people can sign in. Somebody who may
            change the DNS of your company has to be at hand.
          </p>
        </EmptyState>
      )}
      {rows.length > 0 && (
        <ul className="cards">
          {rows.map((row) => (
            <DomainCard key={row.id} verification={row} tell={tell} />
          ))}
        </ul>
      )}
      <ShowMore list={list} />
    </Page>
  );
}

function Addition({ tell }: { readonly tell: (message: string) => void }) {
  const { organizationId } = useWorkplace();
  const [domain, setDomain] = useState('');
  const creation = useMutation(OrganizationService.method.createDomainVerification, {
    onSuccess: async ({ domainVerification }) => {
      setDomain('');
      await refreshAll();
      tell(`${domainVerification?.domain ?? 'It'} was added. Publish the record below.`);
    },
  });
  return (
    <Form
      className="add"
      aria-label="Add a domain"
      validationErrors={readValidationErrors(creation.error)}
      onSubmit={(event) => {
        event.preventDefault();
        creation.mutate({ organizationId, domain: domain.trim().replace(/^.*@/, '') });
      }}
    >
      <TextField
        label="Email domain"
        name="domain"
        value={domain}
        onChange={(typed) => {
          setDomain(typed);
          // What was said of the text before holds no more, and would hold the form back.
          if (creation.isError) creation.reset();
        }}
        isRequired
        isCode
        autoComplete="off"
        placeholder="example.com"
      />
      <Button kind="primary" type="submit" isPending={creation.isPending}>
        Add
      </Button>
      {creation.isError && (
        <ErrorNotice
          error={creation.error}
          title="The domain was not added"
          shownElsewhere={['domain']}
        />
      )}
    </Form>
  );
}
