/** Owns the list of an organization's people, the search in it, and the making of members beforehand. */
import { useInfiniteQuery, useMutation } from '@connectrpc/connect-query';
import { keepPreviousData } from '@tanstack/react-query';
import { useState } from 'react';

import { MemberService } from '../../../gen/claimgate/v1/member_pb.ts';
import {
  ListMembersRequest_SortField as SortField,
  OrganizationService,
} from '../../../gen/gitpod/v1/organization_pb.ts';
import { SortOrder } from '../../../gen/gitpod/v1/pagination_pb.ts';
import { UserStatus } from '../../../gen/gitpod/v1/user_pb.ts';
import { Button } from '../components/button.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { ErrorNotice } from '../components/error-notice.tsx';
import { Loading } from '../components/loading.tsx';
import { MemberRow, ROLE_OF, ROLES } from '../components/member-row.tsx';
import type { RoleChoice } from '../components/member-row.tsx';
import { ModalForm } from '../components/modal-form.tsx';
import { Page } from '../components/page.tsx';
import { SearchField } from '../components/search-field.tsx';
import { SelectField } from '../components/select-field.tsx';
import { ShowMore } from '../components/show-more.tsx';
import { TextField } from '../components/text-field.tsx';
import { useWorkplace } from '../organization.tsx';
import { BY_PAGES, FIRST_PAGE } from '../paging.ts';
import { refreshAll } from '../query-client.ts';
import { useDebounced } from '../use-debounced.ts';

const PAUSE_MS = 250;

const SHOWN = [
  ['all', 'All'],
  ['admins', 'Admins'],
  ['suspended', 'Suspended'],
] as const;
type Shown = (typeof SHOWN)[number][0];

export function MembersPage() {
  const { organizationId, mayWrite } = useWorkplace();
  const [told, tell] = useState('');
  const [search, setSearch] = useState('');
  const [shown, setShown] = useState<Shown>('all');
  const asked = useDebounced(search.trim(), PAUSE_MS);
  const list = useInfiniteQuery(
    OrganizationService.method.listMembers,
    {
      organizationId,
      pagination: FIRST_PAGE,
      filter: {
        search: asked,
        statuses:
          shown === 'suspended'
            ? [UserStatus.SUSPENDED]
            : [UserStatus.ACTIVE, UserStatus.SUSPENDED],
        roles: shown === 'admins' ? [ROLE_OF.admin] : [],
      },
      sort: { field: SortField.NAME, order: SortOrder.ASC },
      count: { include: true },
    },
    { ...BY_PAGES, placeholderData: keepPreviousData },
  );
  const rows = list.data?.pages.flatMap(({ members }) => members) ?? [];
  const count = list.data?.pages[0]?.count?.value ?? rows.length;
  return (
    <Page
      title="Members"
      lead="Who belongs to this organization. People become members by themselves when they first sign in; admins look after what you see here."
      actions={mayWrite && <Creation tell={tell} />}
    >
      <div className="filters">
        <SearchField
          label="Search"
          value={search}
          onChange={setSearch}
          maxLength={256}
          placeholder="Part of a name or an email"
        />
        <SelectField label="Show" options={SHOWN} value={shown} onChange={setShown} />
      </div>
      <output className="told">{told}</output>
      {list.isPending && <Loading what="the members" />}
      {list.isError && !list.isFetchNextPageError && (
        <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />
      )}
      {list.isSuccess && (
        <output className="note">
          {count === 1 ? 'One person' : `${count} people`}
          {list.isPlaceholderData && ', looking…'}
        </output>
      )}
      {list.isSuccess && rows.length === 0 && (
        <EmptyState
          title="Nobody is like this"
          action={
            <Button
              onPress={() => {
                setSearch('');
                setShown('all');
              }}
            >
              Show everybody
            </Button>
          }
        >
          <p>
            The search looks for a part of the name or of the email address. Who has not signed in
            yet is not here, unless an admin made them a member beforehand.
          </p>
        </EmptyState>
      )}
      {rows.length > 0 && (
        <ul className="cards">
          {rows.map((row) => (
            <MemberRow key={row.userId} member={row} tell={tell} />
          ))}
        </ul>
      )}
      <ShowMore list={list} />
    </Page>
  );
}

function Creation({ tell }: { readonly tell: (message: string) => void }) {
  const { organizationId } = useWorkplace();
  const [isOpen, setOpen] = useState(false);
  const [email, setEmail] = useState('');
  const [fullName, setFullName] = useState('');
  const [role, setRole] = useState<RoleChoice>('member');
  const creation = useMutation(MemberService.method.createMember, {
    onSuccess: async ({ member }) => {
      setOpen(false);
      await refreshAll();
      tell(`${member?.email ?? 'The person'} is a member now.`);
    },
  });
  /** What was said of the text before holds no more, and would hold the form back. */
  const type =
    (take: (typed: string) => void) =>
    (typed: string): void => {
      take(typed);
      if (creation.isError) creation.reset();
    };
  return (
    <ModalForm
      trigger="Add a member"
      triggerKind="primary"
      title="Add a member"
      action="Add"
      isOpen={isOpen}
      onOpenChange={(open) => {
        creation.reset();
        setEmail('');
        setFullName('');
        setRole('member');
        setOpen(open);
      }}
      isPending={creation.isPending}
      error={creation.error}
      shownAtFields={['email', 'full_name']}
      onSubmit={() =>
        creation.mutate({
          organizationId,
          email: email.trim(),
          fullName: fullName.trim(),
          role: ROLE_OF[role],
        })
      }
    >
      <p>
        Not needed to let somebody in: it gives a role to a person who has not signed in yet. No
        message is sent. Whoever first signs in with this address, and it is proven, becomes this
        member.
      </p>
      <TextField
        label="Email"
        name="email"
        type="email"
        value={email}
        onChange={type(setEmail)}
        isRequired
        autoComplete="off"
        maxLength={254}
      />
      <TextField
        label="Name"
        name="full_name"
        value={fullName}
        onChange={type(setFullName)}
        autoComplete="off"
        maxLength={256}
        description="The first sign-in replaces it."
      />
      <SelectField label="Role" options={ROLES} value={role} onChange={setRole} />
    </ModalForm>
  );
}
