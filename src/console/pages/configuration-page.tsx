/** Owns one configuration: what it is, whether it is on, its check and test login, its changes, its end. */
import { useMutation, useQuery } from '@connectrpc/connect-query';
import { useState } from 'react';
import { Form } from 'react-aria-components/Form';
import { Link, useLocation, useParams } from 'wouter';

import {
  OrganizationService,
  SSOConfigurationState,
} from '../../../gen/gitpod/v1/organization_pb.ts';
import type { SSOConfiguration } from '../../../gen/gitpod/v1/organization_pb.ts';
import { set } from '../../client/change.ts';
import { Button, ButtonLink } from '../components/button.tsx';
import { Check, useCheck } from '../components/check-report.tsx';
import {
  FIELD_NAMES,
  MappingFields,
  PeopleFields,
  RegistrationFields,
} from '../components/configuration-fields.tsx';
import { ConfirmByName } from '../components/confirm-by-name.tsx';
import { CopyField } from '../components/copy-field.tsx';
import { ErrorNotice, readValidationErrors } from '../components/error-notice.tsx';
import { Loading } from '../components/loading.tsx';
import { Page } from '../components/page.tsx';
import { ShutOutNotice } from '../components/shut-out-notice.tsx';
import { StatusBadge } from '../components/status-badge.tsx';
import { TestLogin } from '../components/test-login.tsx';
import { hasChanges, readForm, writeChange, writeDraft } from '../configuration-form.ts';
import type { ConfigurationForm } from '../configuration-form.ts';
import { useGuardedUpdate } from '../guarded-update.ts';
import { useWorkplace } from '../organization.tsx';
import { createRedirectUri } from '../public-url.ts';
import { queryClient } from '../query-client.ts';
import { forgetUnsavedWork, useUnsavedWork } from '../unsaved-work.ts';

const { SSO_CONFIGURATION_STATE_ACTIVE: ON, SSO_CONFIGURATION_STATE_INACTIVE: OFF } =
  SSOConfigurationState;

export function ConfigurationPage() {
  const { configuration: ssoConfigurationId } = useParams<{ configuration: string }>();
  const { data, error, refetch, isPending } = useQuery(
    OrganizationService.method.getSSOConfiguration,
    { ssoConfigurationId },
  );
  const stored = data?.ssoConfiguration;
  if (stored !== undefined) return <Configuration key={stored.id} stored={stored} />;
  return (
    <Page title="Configuration">
      {isPending && <Loading what="the configuration" />}
      {error !== null && <ErrorNotice error={error} onRetry={() => void refetch()} />}
    </Page>
  );
}

export function describeConfiguration(
  configuration: Pick<SSOConfiguration, 'displayName' | 'issuerUrl'>,
): string {
  return configuration.displayName === '' ? configuration.issuerUrl : configuration.displayName;
}

function Configuration({ stored }: { readonly stored: SSOConfiguration }) {
  const { mayWrite } = useWorkplace();
  const check = useCheck();
  const isOn = stored.state === ON;
  return (
    <Page
      title={describeConfiguration(stored)}
      lead={<Link href="/configurations">All configurations</Link>}
      actions={<StatusBadge tone={isOn ? 'good' : 'plain'}>{isOn ? 'On' : 'Off'}</StatusBadge>}
    >
      <Power stored={stored} />
      {mayWrite && (
        <section className="card" aria-labelledby="check">
          <h2 id="check">Check</h2>
          <Check check={check} getRequest={() => ({ ssoConfigurationId: stored.id })} />
          <h2>Test login</h2>
          <TestLogin getRequest={() => ({ ssoConfigurationId: stored.id })} />
        </section>
      )}
      <Rule stored={stored} />
      <Edit stored={stored} />
      {mayWrite && <Deletion stored={stored} />}
    </Page>
  );
}

function Power({ stored }: { readonly stored: SSOConfiguration }) {
  const { mayWrite } = useWorkplace();
  const update = useGuardedUpdate(stored.id);
  const isOn = stored.state === ON;
  return (
    <section className="card" aria-labelledby="power">
      <h2 id="power">{isOn ? 'It is on' : 'It is off'}</h2>
      <p>
        {isOn
          ? 'People of its verified email domains can sign in through it. Switched off, nobody can; who is signed in stays signed in.'
          : 'Nobody can sign in through it. Check it and try a test login first; then switch it on.'}
      </p>
      {update.error !== null && <ErrorNotice error={update.error} title="It was not switched" />}
      {mayWrite && (
        <Button
          kind={isOn ? 'danger' : 'primary'}
          isPending={update.isPending}
          onPress={() => update.save({ state: set(isOn ? OFF : ON) })}
        >
          {isOn ? 'Switch off' : 'Switch on'}
        </Button>
      )}
    </section>
  );
}

function Rule({ stored }: { readonly stored: SSOConfiguration }) {
  const { mayWrite } = useWorkplace();
  return (
    <section className="card" aria-labelledby="rule">
      <h2 id="rule">Rule: who gets in</h2>
      {stored.claimsExpression === '' ? (
        <p>
          There is none: everybody gets in whom the identity provider vouches for and whose address
          is of the email domains.
        </p>
      ) : (
        <pre>
          <code>{stored.claimsExpression}</code>
        </pre>
      )}
      <ButtonLink href={`/configurations/${stored.id}/rule`}>
        {mayWrite ? 'Edit and try the rule' : 'Try the rule'}
      </ButtonLink>
    </section>
  );
}

function Edit({ stored }: { readonly stored: SSOConfiguration }) {
  const { mayWrite, organizationId } = useWorkplace();
  const [form, setForm] = useState<ConfigurationForm>();
  const shown = form ?? readForm(stored);
  const check = useCheck();
  // What is stored is shown again once it is saved.
  const update = useGuardedUpdate(stored.id, () => {
    setForm(undefined);
    check.reset();
  });
  const change = writeChange(shown, stored);
  const isChanged = hasChanges(change);
  useUnsavedWork(isChanged);
  const onChange = (changed: Partial<ConfigurationForm>): void => {
    setForm({ ...shown, ...changed });
    // What the server found wrong was of what stood there before.
    if (check.isError) check.reset();
    if (update.error !== null) update.reset();
  };
  return (
    <Form
      className="card"
      aria-label="Settings"
      validationErrors={{
        ...readValidationErrors(check.error),
        ...readValidationErrors(update.error),
      }}
      onSubmit={(event) => {
        event.preventDefault();
        update.save(change);
      }}
    >
      <h2>At the identity provider</h2>
      <CopyField label="Redirect URI" value={createRedirectUri(organizationId)} />
      <RegistrationFields form={shown} onChange={onChange} isDisabled={!mayWrite} hasSecret />
      <h2>Who comes this way</h2>
      <PeopleFields
        form={shown}
        onChange={onChange}
        isDisabled={!mayWrite}
        mayHaveNoDomain={stored.emailDomains.length === 0}
      />
      <details>
        <summary>Claims mapping: where email, name, picture and groups come from</summary>
        <p className="note">
          Empty fields take the standard claims. A dotted path reaches into nested claims, such as{' '}
          <code>realm_access.roles</code>.
        </p>
        <MappingFields form={shown} onChange={onChange} isDisabled={!mayWrite} />
      </details>
      {isChanged && (
        <section aria-label="Check of the changes">
          <h3>Before you save</h3>
          <Check
            check={check}
            shownElsewhere={FIELD_NAMES}
            getRequest={() => ({
              ssoConfigurationId: stored.id,
              draft: writeDraft(shown, stored),
            })}
          />
          {mayWrite && (
            <TestLogin
              isDraft
              getRequest={() => ({
                ssoConfigurationId: stored.id,
                draft: writeDraft(shown, stored),
              })}
            />
          )}
        </section>
      )}
      {update.shutOut !== undefined && (
        <ShutOutNotice
          preview={update.shutOut}
          isPending={update.isPending}
          onAnyway={update.saveAnyway}
          onCancel={update.reset}
        />
      )}
      {update.error !== null && (
        <ErrorNotice
          error={update.error}
          title="The changes were not saved"
          shownElsewhere={FIELD_NAMES}
        />
      )}
      {mayWrite && (
        <div className="actions">
          <Button kind="primary" type="submit" isPending={update.isPending} isDisabled={!isChanged}>
            Save changes
          </Button>
          {isChanged && <Button onPress={() => setForm(undefined)}>Undo</Button>}
          <output className="note">{update.isSaved && !isChanged && 'Saved.'}</output>
        </div>
      )}
    </Form>
  );
}

function Deletion({ stored }: { readonly stored: SSOConfiguration }) {
  const [, navigate] = useLocation();
  const deletion = useMutation(OrganizationService.method.deleteSSOConfiguration, {
    onSuccess: async () => {
      // The list is read again when it is shown; what is gone need not be asked for again.
      await queryClient.invalidateQueries({ refetchType: 'none' });
      forgetUnsavedWork();
      navigate('/configurations');
    },
  });
  const name = describeConfiguration(stored);
  return (
    <section className="card" aria-labelledby="delete">
      <h2 id="delete">Delete</h2>
      <p>To keep people out for a while, switch it off instead.</p>
      <ConfirmByName
        action="Delete"
        title={`Delete ${name}?`}
        name={name}
        isPending={deletion.isPending}
        error={deletion.error}
        onConfirm={() => deletion.mutate({ ssoConfigurationId: stored.id })}
      >
        <p>
          Whoever signed in through it is signed out at once and cannot sign in through it again.
          Its login attempts are deleted too. This cannot be undone.
        </p>
      </ConfirmByName>
    </section>
  );
}
