/** Owns the list of login attempts: how people's sign-ins went lately, and why. The filter is in the address. */
import { useInfiniteQuery, useQuery } from '@connectrpc/connect-query';
import { useState } from 'react';
import { Form } from 'react-aria-components/Form';
import { useLocation, useSearchParams } from 'wouter';

import { LoginAttemptService, LoginOutcome } from '../../../gen/claimgate/v1/login_attempt_pb.ts';
import { OrganizationService } from '../../../gen/gitpod/v1/organization_pb.ts';
import { AttemptCard } from '../components/attempt-card.tsx';
import { Button, ButtonLink } from '../components/button.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { ErrorNotice } from '../components/error-notice.tsx';
import { Loading } from '../components/loading.tsx';
import { Page } from '../components/page.tsx';
import { SelectField } from '../components/select-field.tsx';
import { ShowMore } from '../components/show-more.tsx';
import { TextField } from '../components/text-field.tsx';
import { readAttemptId } from '../attempt-id.ts';
import { useWorkplace } from '../organization.tsx';
import { BY_PAGES, FIRST_PAGE } from '../paging.ts';
import { refreshAll } from '../query-client.ts';

const OUTCOMES = [
  ['', 'All'],
  ['refused', 'Refused'],
  ['admitted', 'Let in'],
] as const;
type OutcomeChoice = (typeof OUTCOMES)[number][0];

const OUTCOME_OF: Readonly<Record<OutcomeChoice, LoginOutcome>> = {
  '': LoginOutcome.UNSPECIFIED,
  refused: LoginOutcome.REFUSED,
  admitted: LoginOutcome.ADMITTED,
};

export function LoginAttemptsPage() {
  const { organizationId } = useWorkplace();
  const [search, setSearch] = useSearchParams();
  const outcome = OUTCOMES.find(([value]) => value === search.get('outcome'))?.[0] ?? '';
  const ssoConfigurationId = search.get('configuration') ?? '';
  const email = search.get('email') ?? '';
  const isFiltered = outcome !== '' || ssoConfigurationId !== '' || email !== '';
  const { configurations, nameOf } = useConfigurationNames();
  const list = useInfiniteQuery(
    LoginAttemptService.method.listLoginAttempts,
    {
      organizationId,
      pagination: FIRST_PAGE,
      filter: { outcome: OUTCOME_OF[outcome], ssoConfigurationId, email },
      explain: true,
    },
    BY_PAGES,
  );
  const rows = list.data?.pages.flatMap(({ loginAttempts }) => loginAttempts) ?? [];
  const choose = (name: string, value: string): void =>
    setSearch(
      (before) => {
        const after = new URLSearchParams(before);
        if (value === '') after.delete(name);
        else after.set(name, value);
        return after;
      },
      { replace: true },
    );
  return (
    <Page
      title="Login attempts"
      lead="How people’s sign-ins went, newest first, and why somebody was refused. Kept for 30 days, and those that were let in for 7, unless the operator of this server set other times."
      actions={
        <Button isPending={list.isRefetching} onPress={() => void refreshAll()}>
          Refresh
        </Button>
      }
    >
      <div className="filters">
        <SelectField
          label="How they ended"
          options={OUTCOMES}
          value={outcome}
          onChange={(value) => choose('outcome', value)}
        />
        <SelectField
          label="Configuration"
          options={[['', 'All'], ...configurations]}
          value={ssoConfigurationId}
          onChange={(value) => choose('configuration', value)}
        />
        <Find key={email} email={email} onFind={(found) => choose('email', found)} />
      </div>
      {email !== '' && (
        <p className="note">
          Emails are kept masked: you see all that begin with the same letter and have the same
          domain as <bdi>{email}</bdi>.{' '}
          <Button kind="quiet" onPress={() => choose('email', '')}>
            Show all
          </Button>
        </p>
      )}
      {list.isPending && <Loading what="the login attempts" />}
      {list.isError && !list.isFetchNextPageError && (
        <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />
      )}
      {list.isSuccess && rows.length === 0 && (
        <Nothing isFiltered={isFiltered} onClear={() => setSearch({}, { replace: true })} />
      )}
      {rows.length > 0 && (
        <ul className="cards">
          {rows.map((attempt) => (
            <li key={attempt.id}>
              <AttemptCard
                attempt={attempt}
                configurationName={nameOf(attempt.ssoConfigurationId)}
              />
            </li>
          ))}
        </ul>
      )}
      <ShowMore list={list} />
    </Page>
  );
}

const MAX_CONFIGURATIONS = 100;

/** An organization has a few; of more, the rest goes without a name. */
export function useConfigurationNames(): {
  readonly configurations: readonly (readonly [id: string, name: string])[];
  readonly nameOf: (id: string) => string | undefined;
} {
  const { organizationId } = useWorkplace();
  const { data } = useQuery(OrganizationService.method.listSSOConfigurations, {
    organizationId,
    pagination: { pageSize: MAX_CONFIGURATIONS, token: '' },
  });
  const configurations = (data?.ssoConfigurations ?? []).map(
    ({ id, displayName, issuerUrl }) => [id, displayName === '' ? issuerUrl : displayName] as const,
  );
  const names = new Map(configurations);
  return { configurations, nameOf: (id) => names.get(id) };
}

const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** One field for what an admin has been told: who could not get in, or the id on the page that refused them. */
function Find({
  email,
  onFind,
}: {
  /** By which the list is narrowed now. */
  readonly email: string;
  readonly onFind: (email: string) => void;
}) {
  const [, navigate] = useLocation();
  const [typed, setTyped] = useState(email);
  return (
    <Form
      className="find"
      onSubmit={(event) => {
        event.preventDefault();
        const id = readAttemptId(typed);
        if (id === undefined) onFind(typed.trim());
        else navigate(`/attempts/${id}`);
      }}
    >
      <TextField
        label="Email or attempt id"
        value={typed}
        onChange={setTyped}
        isRequired
        isCode
        autoComplete="off"
        placeholder="The id is on the page that refused"
        validate={(value) =>
          EMAIL.test(value.trim()) || readAttemptId(value) !== undefined
            ? null
            : 'A whole email such as alice@example.com, or an id such as 0190f3b2-7c1e-7000-8000-000000000000.'
        }
      />
      <Button type="submit">Find</Button>
    </Form>
  );
}

function Nothing({
  isFiltered,
  onClear,
}: {
  readonly isFiltered: boolean;
  readonly onClear: () => void;
}) {
  if (isFiltered) {
    return (
      <EmptyState
        title="No attempt is like this"
        action={<Button onPress={onClear}>Show all</Button>}
      >
        <p>There may be others: take the filter away.</p>
      </EmptyState>
    );
  }
  return (
    <EmptyState
      title="Nobody has tried to sign in yet"
      action={
        <ButtonLink kind="primary" href="/configurations">
          To the configurations
        </ButtonLink>
      }
    >
      <p>
        Switch a configuration on and verify its email domain; then let somebody sign in. Here you
        will see how it went. Test logins are not listed: their report is on the configuration’s
        page.
      </p>
    </EmptyState>
  );
}
