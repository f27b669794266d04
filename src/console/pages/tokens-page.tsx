/** Owns the caller's own personal access tokens: their making, whose value is shown once, their list and their end. */
import { useInfiniteQuery, useMutation } from '@connectrpc/connect-query';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { useState } from 'react';

import { UserService } from '../../../gen/gitpod/v1/user_pb.ts';
import type { PersonalAccessToken } from '../../../gen/gitpod/v1/user_pb.ts';
import { CopyField } from '../components/copy-field.tsx';
import { Button } from '../components/button.tsx';
import { ConfirmEnding } from '../components/confirm-ending.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { ErrorNotice } from '../components/error-notice.tsx';
import { focusHeading } from '../components/focus-heading.ts';
import { Loading } from '../components/loading.tsx';
import { ModalForm } from '../components/modal-form.tsx';
import { Moment } from '../components/moment.tsx';
import { Page } from '../components/page.tsx';
import { SelectField } from '../components/select-field.tsx';
import { ShowMore } from '../components/show-more.tsx';
import { StatusBadge } from '../components/status-badge.tsx';
import { TextField } from '../components/text-field.tsx';
import { useWorkplace } from '../organization.tsx';
import { BY_PAGES, FIRST_PAGE } from '../paging.ts';
import { refreshAll } from '../query-client.ts';

const DAY_SECONDS = 86_400;

const LIFETIMES = [
  ['1', '1 day'],
  ['7', '7 days'],
  ['30', '30 days'],
  ['90', '90 days'],
] as const;
type Lifetime = (typeof LIFETIMES)[number][0];

const ACCESS = [
  ['read', 'Read only'],
  ['write', 'Read and change'],
] as const;
type Access = (typeof ACCESS)[number][0];

export function TokensPage() {
  const { mayWrite } = useWorkplace();
  const [value, setValue] = useState('');
  const [told, tell] = useState('');
  const list = useInfiniteQuery(
    UserService.method.listPersonalAccessTokens,
    { pagination: FIRST_PAGE },
    BY_PAGES,
  );
  const rows = list.data?.pages.flatMap(({ personalAccessTokens: tokens }) => tokens) ?? [];
  const create = mayWrite && (
    <Creation
      onCreated={(created) => {
        tell('');
        setValue(created);
      }}
    />
  );
  return (
    <Page
      title="Tokens"
      lead="Your own personal access tokens, by which programs call as you: the command line, Terraform, your own code."
      actions={(rows.length > 0 || value !== '') && create}
    >
      {value !== '' && <NewToken value={value} onClose={() => setValue('')} />}
      <output className="told">{told}</output>
      {list.isPending && <Loading what="your tokens" />}
      {list.isError && !list.isFetchNextPageError && (
        <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />
      )}
      {list.isSuccess && rows.length === 0 && value === '' && (
        <EmptyState title="No token yet" action={create}>
          <p>
            Create one for a program that is to call as you. Give each program its own, so that you
            can end one without the others, and read only where that is enough.
          </p>
        </EmptyState>
      )}
      {rows.length > 0 && (
        <ul className="cards">
          {rows.map((row) => (
            <TokenCard key={row.id} token={row} tell={tell} />
          ))}
        </ul>
      )}
      <ShowMore list={list} />
    </Page>
  );
}

function NewToken({ value, onClose }: { readonly value: string; readonly onClose: () => void }) {
  return (
    <section className="notice good" aria-labelledby="new-token" role="alert">
      <h2 id="new-token">Copy the token now</h2>
      <p>It is shown this once. Keep it where secrets are kept; whoever has it can call as you.</p>
      <CopyField label="Token" value={value} />
      <Button
        onPress={() => {
          onClose();
          focusHeading();
        }}
      >
        I have copied it
      </Button>
    </section>
  );
}

function Creation({ onCreated }: { readonly onCreated: (value: string) => void }) {
  const { session } = useWorkplace();
  const [isOpen, setOpen] = useState(false);
  const [description, setDescription] = useState('');
  const [lifetime, setLifetime] = useState<Lifetime>('30');
  const [access, setAccess] = useState<Access>('read');
  const creation = useMutation(UserService.method.createPersonalAccessToken, {
    onSuccess: async ({ token }) => {
      setOpen(false);
      onCreated(token);
      await refreshAll();
    },
  });
  return (
    <ModalForm
      trigger="Create a token"
      triggerKind="primary"
      title="Create a token"
      action="Create"
      isOpen={isOpen}
      onOpenChange={(open) => {
        // What was answered holds the token's value.
        creation.reset();
        setDescription('');
        setOpen(open);
      }}
      isPending={creation.isPending}
      error={creation.error}
      shownAtFields={['description']}
      onSubmit={() =>
        creation.mutate({
          userId: session.user.id,
          description: description.trim(),
          validFor: { seconds: BigInt(Number(lifetime) * DAY_SECONDS) },
          readOnly: access === 'read',
        })
      }
    >
      <TextField
        label="What it is for"
        name="description"
        value={description}
        onChange={(typed) => {
          setDescription(typed);
          // What was said of the text before holds no more, and would hold the form back.
          if (creation.isError) creation.reset();
        }}
        isRequired
        autoComplete="off"
        maxLength={256}
        placeholder="Terraform in CI"
      />
      <SelectField
        label="It works for"
        options={LIFETIMES}
        value={lifetime}
        onChange={setLifetime}
      />
      <SelectField label="It may" options={ACCESS} value={access} onChange={setAccess} />
    </ModalForm>
  );
}

function TokenCard({
  token,
  tell,
}: {
  readonly token: PersonalAccessToken;
  readonly tell: (message: string) => void;
}) {
  const { mayWrite } = useWorkplace();
  const { description, createdAt, expiresAt, lastUsed, readOnly } = token;
  const [now] = useState(() => new Date());
  const hasExpired = expiresAt !== undefined && timestampDate(expiresAt) <= now;
  return (
    <li className="card">
      <div className="card-head">
        <h2>
          <bdi>{nameToken(token)}</bdi>
        </h2>
        <span className="badges">
          {hasExpired && <StatusBadge tone="wrong">Expired</StatusBadge>}
          <StatusBadge tone="plain">{readOnly ? 'Read only' : 'Read and change'}</StatusBadge>
        </span>
      </div>
      <dl className="pairs">
        <div>
          <dt>Created</dt>
          <dd>
            <Moment at={createdAt} />
          </dd>
        </div>
        <div>
          <dt>{hasExpired ? 'Expired' : 'Expires'}</dt>
          <dd>
            {expiresAt === undefined ? (
              <span className="doubt">
                Never: it is from the first start. Create your own and delete it.
              </span>
            ) : (
              <Moment at={expiresAt} />
            )}
          </dd>
        </div>
        <div>
          <dt>Last used</dt>
          <dd>{lastUsed === undefined ? 'Not yet' : <Moment at={lastUsed} />}</dd>
        </div>
      </dl>
      {mayWrite && <Deletion token={token} tell={tell} />}
      {description === '' && (
        <p className="note">
          Id <code>{token.id}</code>
        </p>
      )}
    </li>
  );
}

function nameToken({ description }: PersonalAccessToken): string {
  return description === '' ? 'Token without a description' : description;
}

function Deletion({
  token,
  tell,
}: {
  readonly token: PersonalAccessToken;
  readonly tell: (message: string) => void;
}) {
  const name = nameToken(token);
  return (
    <ConfirmEnding
      action="Delete"
      triggerKind="danger"
      name={name}
      title={`Delete “${name}”?`}
      method={UserService.method.deletePersonalAccessToken}
      request={{ personalAccessTokenId: token.id }}
      onDone={async () => {
        await refreshAll();
        tell(`“${name}” was deleted.`);
      }}
    >
      <p>
        The next call with it is refused, and sessions that were begun with it end, this one too if
        it is the token that you signed in with.
      </p>
    </ConfirmEnding>
  );
}
