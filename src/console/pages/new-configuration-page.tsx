/** Owns the set-up of a new configuration: at the identity provider, here, the check, and the saving. */
import { useMutation } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { Form } from 'react-aria-components/Form';
import { Label } from 'react-aria-components/Label';
import { Radio, RadioGroup } from 'react-aria-components/RadioGroup';
import { Link, useLocation, useParams } from 'wouter';

import { Button } from '../components/button.tsx';
import { Check, useCheck } from '../components/check-report.tsx';
import {
  FIELD_NAMES,
  PeopleFields,
  RegistrationFields,
} from '../components/configuration-fields.tsx';
import { CopyField } from '../components/copy-field.tsx';
import { ErrorNotice, readValidationErrors } from '../components/error-notice.tsx';
import { Page } from '../components/page.tsx';
import { TestLogin } from '../components/test-login.tsx';
import { TextField } from '../components/text-field.tsx';
import { EMPTY_FORM, splitList, writeDraft, writeNew } from '../configuration-form.ts';
import type { ConfigurationForm } from '../configuration-form.ts';
import { useWorkplace } from '../organization.tsx';
import { PROVIDER_PRESETS } from '../provider-presets.tsx';
import type { ProviderPreset } from '../provider-presets.tsx';
import { createRedirectUri } from '../public-url.ts';
import { refreshAll } from '../query-client.ts';
import { client } from '../transport.ts';
import { forgetUnsavedWork, useUnsavedWork } from '../unsaved-work.ts';
import { NotFoundPage } from './not-found-page.tsx';

const SHOWN_AT_FIELDS = [...FIELD_NAMES, 'claims_expression'];

export function NewConfigurationPage() {
  const { provider } = useParams<{ provider: string }>();
  const preset = PROVIDER_PRESETS.find(({ id }) => id === provider);
  return preset === undefined ? <NotFoundPage /> : <SetUp key={preset.id} preset={preset} />;
}

function createForm(preset: ProviderPreset): ConfigurationForm {
  return {
    ...EMPTY_FORM,
    displayName: preset.id === 'other' ? '' : preset.name,
    issuerUrl: preset.issuerUrl ?? '',
  };
}

type StartState = 'off' | 'on';

function SetUp({ preset }: { readonly preset: ProviderPreset }) {
  const { organizationId } = useWorkplace();
  const [, navigate] = useLocation();
  const [form, setForm] = useState(() => createForm(preset));
  useUnsavedWork(JSON.stringify(form) !== JSON.stringify(createForm(preset)));
  const [startState, setStartState] = useState<StartState>('off');
  const formElement = useRef<HTMLFormElement>(null);
  const check = useCheck();
  const save = useMutation({
    mutationFn: () => saveNew(form, organizationId, startState),
    onSuccess: async (id) => {
      await refreshAll();
      forgetUnsavedWork();
      navigate(`/configurations/${id}`);
    },
  });
  const change = (changed: Partial<ConfigurationForm>): void => {
    setForm({ ...form, ...changed });
    // What the server found wrong was of what stood there before.
    if (check.isError) check.reset();
    if (save.isError) save.reset();
  };
  const [firstDomain = 'example.com'] = splitList(form.emailDomains);
  const suggested = preset.suggestRule?.(firstDomain);
  return (
    <Page
      title={preset.id === 'other' ? 'Set up single sign-on' : `Set up ${preset.name}`}
      lead={
        <>
          Three steps. Nothing is saved before the last one.{' '}
          <Link href="/configurations/new">Choose another provider</Link>
        </>
      }
    >
      <section className="card" aria-labelledby="step-1">
        <h2 id="step-1">1. At {preset.id === 'other' ? 'your identity provider' : preset.name}</h2>
        <CopyField label="Redirect URI" value={createRedirectUri(organizationId)} />
        <ol className="steps">
          {preset.steps.map((step, index) => (
            // oxlint-disable-next-line react/no-array-index-key -- they never change
            <li key={index}>{step}</li>
          ))}
        </ol>
      </section>
      <Form
        ref={formElement}
        validationErrors={{
          ...readValidationErrors(check.error),
          ...readValidationErrors(save.error),
        }}
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <section className="card" aria-labelledby="step-2">
          <h2 id="step-2">2. What it gave you</h2>
          <RegistrationFields form={form} onChange={change} preset={preset} hasSecret={false} />
          <h3>Who comes this way</h3>
          <PeopleFields form={form} onChange={change} preset={preset} mayHaveNoDomain />
          <TextField
            label="Rule: who gets in"
            name="claims_expression"
            value={form.claimsExpression}
            onChange={(claimsExpression) => change({ claimsExpression })}
            isCode
            rows={3}
            maxLength={4096}
            placeholder={suggested ?? 'claims.email_verified && "engineering" in claims.groups'}
            description={
              <>
                A CEL expression over the claims; only exactly <code>true</code> lets in. Without
                one, everybody gets in whom the identity provider vouches for and whose address is
                of the domains above.
              </>
            }
          />
          {suggested !== undefined && form.claimsExpression === '' && (
            <p className="notice warn">
              Everybody with a {preset.name} account has this issuer. Let your own people in only:{' '}
              <Button kind="quiet" onPress={() => change({ claimsExpression: suggested })}>
                {`Use ${suggested}`}
              </Button>
            </p>
          )}
        </section>
        <section className="card" aria-labelledby="step-3">
          <h2 id="step-3">3. Check and save</h2>
          <p>
            The check asks the identity provider for all that a sign-in needs, and signs nobody in.
          </p>
          <Check
            check={check}
            shownElsewhere={SHOWN_AT_FIELDS}
            getRequest={() => ({ organizationId, draft: writeDraft(form) })}
          />
          <h3>Test login</h3>
          <TestLogin isDraft getRequest={() => ({ organizationId, draft: writeDraft(form) })} />
          <StartStateChoice value={startState} onChange={setStartState} />
          {save.isError && (
            <ErrorNotice
              error={save.error}
              title="The configuration was not saved"
              shownElsewhere={SHOWN_AT_FIELDS}
            />
          )}
          <Button kind="primary" type="submit" isPending={save.isPending}>
            {startState === 'off' ? 'Save, switched off' : 'Save and switch on'}
          </Button>
        </section>
      </Form>
    </Page>
  );
}

function StartStateChoice({
  value,
  onChange,
}: {
  readonly value: StartState;
  readonly onChange: (value: StartState) => void;
}) {
  return (
    <RadioGroup
      className="field"
      value={value}
      onChange={(chosen) => onChange(chosen === 'on' ? 'on' : 'off')}
    >
      <Label>When it is saved</Label>
      <div className="choices">
        <Radio value="off" className="choice">
          <span>
            <b>Leave it off</b>
            <br />
            Nobody can sign in through it yet. Try it with a test login, then switch it on.
          </span>
        </Radio>
        <Radio value="on" className="choice">
          <span>
            <b>Switch it on at once</b>
            <br />
            People of its verified email domains can sign in through it from now on.
          </span>
        </Radio>
      </div>
    </RadioGroup>
  );
}

/** Switched off from the start, where that is wanted: not for a moment can anybody sign in through it. */
async function saveNew(
  form: ConfigurationForm,
  organizationId: string,
  startState: StartState,
): Promise<string> {
  const headers: HeadersInit =
    startState === 'off' ? { 'claimgate-initial-state': 'inactive' } : {};
  const { ssoConfiguration } = await client.organizations.createSSOConfiguration(
    writeNew(form, organizationId),
    { headers },
  );
  return ssoConfiguration?.id ?? '';
}
