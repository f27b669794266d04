/** Owns the fields of a configuration, for a new one and for one that is there. */
import type { ReactNode } from 'react';

import { ATTRIBUTES } from '../configuration-form.ts';
import type { Attribute, ConfigurationForm } from '../configuration-form.ts';
import type { ProviderPreset } from '../provider-presets.tsx';
import { TextField } from './text-field.tsx';

/** The contract's names of the fields here, for `shownElsewhere` of an error notice. */
export const FIELD_NAMES = [
  'display_name',
  'issuer_url',
  'client_id',
  'client_secret',
  'email_domains',
  'additional_scopes',
] as const;

export interface FieldsProps {
  readonly form: ConfigurationForm;
  readonly onChange: (change: Partial<ConfigurationForm>) => void;
  readonly isDisabled?: boolean;
}

/** What the identity provider gave. */
export function RegistrationFields({
  form,
  onChange,
  isDisabled = false,
  preset,
  hasSecret,
}: FieldsProps & {
  readonly preset?: ProviderPreset;
  /** One is stored, so that none need be typed. */
  readonly hasSecret: boolean;
}) {
  const doubt = form.issuerUrl === '' ? undefined : preset?.doubtIssuer?.(form.issuerUrl.trim());
  return (
    <>
      <TextField
        label="Issuer URL"
        name="issuer_url"
        type="url"
        value={form.issuerUrl}
        onChange={(issuerUrl) => onChange({ issuerUrl })}
        isDisabled={isDisabled}
        isRequired
        isCode
        placeholder={preset?.issuerPattern ?? 'https://idp.example.com'}
        description={
          <>
            {preset?.issuerNote ?? 'As the identity provider writes it, character for character.'}
            {doubt !== undefined && <strong className="doubt">{doubt}</strong>}
          </>
        }
      />
      <TextField
        label="Client id"
        name="client_id"
        value={form.clientId}
        onChange={(clientId) => onChange({ clientId })}
        isDisabled={isDisabled}
        isRequired
        isCode
        autoComplete="off"
      />
      <TextField
        label={hasSecret ? 'New client secret' : 'Client secret'}
        name="client_secret"
        type="password"
        value={form.clientSecret}
        onChange={(clientSecret) => onChange({ clientSecret })}
        isDisabled={isDisabled}
        isRequired={!hasSecret}
        isCode
        autoComplete="new-password"
        description={
          hasSecret
            ? 'Leave it empty to keep the one that is stored. Nobody can read that, so keep yours until the new one has been checked.'
            : (preset?.secretNote ?? 'It is stored encrypted, and never shown again.')
        }
      />
    </>
  );
}

/** Who comes this way. */
export function PeopleFields({
  form,
  onChange,
  isDisabled = false,
  preset,
  mayHaveNoDomain,
}: FieldsProps & {
  readonly preset?: ProviderPreset;
  /** A list that has something in it cannot be emptied again. */
  readonly mayHaveNoDomain: boolean;
}) {
  return (
    <>
      <TextField
        label="Name"
        name="display_name"
        value={form.displayName}
        onChange={(displayName) => onChange({ displayName })}
        isDisabled={isDisabled}
        maxLength={128}
        description="What people read on the button when there are several ways in."
      />
      <TextField
        label="Email domains"
        name="email_domains"
        value={form.emailDomains}
        onChange={(emailDomains) => onChange({ emailDomains })}
        isDisabled={isDisabled}
        isRequired={!mayHaveNoDomain}
        isCode
        placeholder="example.com, example.org"
        description="Whose addresses come this way, separated by commas. People are led here once a domain has been verified by DNS."
      />
      <TextField
        label="Additional scopes"
        name="additional_scopes"
        value={form.additionalScopes}
        onChange={(additionalScopes) => onChange({ additionalScopes })}
        isDisabled={isDisabled}
        isCode
        placeholder={preset?.groupsScope ?? ''}
        description={
          <>
            Besides <code>openid email profile</code>, separated by blanks.{' '}
            {preset !== undefined && <>For groups: {preset.groupsNote}</>}
          </>
        }
      />
    </>
  );
}

const ATTRIBUTE_NOTES: Readonly<Record<Attribute, ReactNode>> = {
  email: 'The address that decides whose account it is.',
  name: 'What the person is called here.',
  picture: 'An https URL.',
  groups: 'A list of texts.',
};

/** Our attributes from other claims than the standard's. */
export function MappingFields({ form, onChange, isDisabled = false }: FieldsProps) {
  return ATTRIBUTES.map((attribute) => (
    <TextField
      key={attribute}
      label={`Claim for ${attribute}`}
      value={form.claims[attribute]}
      onChange={(claim) => onChange({ claims: { ...form.claims, [attribute]: claim } })}
      isDisabled={isDisabled}
      isCode
      placeholder={attribute}
      description={ATTRIBUTE_NOTES[attribute]}
    />
  ));
}
