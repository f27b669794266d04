/**
 * Owns what is typed about a configuration, and how it becomes a draft to check, a new configuration, or the difference
 * to the stored one. What is allowed, the server knows.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';

import type { SSOConfigurationDraftSchema } from '../../gen/claimgate/v1/sso_configuration_pb.ts';
import type {
  CreateSSOConfigurationRequestSchema,
  SSOConfiguration,
} from '../../gen/gitpod/v1/organization_pb.ts';
import { clear, leave, set } from '../client/change.ts';
import type { ClearableChange } from '../client/change.ts';
import type { SsoConfigurationChange } from '../client/update-sso-configuration.ts';

/** Our attributes, which the mapping can take from other claims. */
export const ATTRIBUTES = ['email', 'name', 'picture', 'groups'] as const;
export type Attribute = (typeof ATTRIBUTES)[number];

/** As it stands in the fields. */
export interface ConfigurationForm {
  readonly displayName: string;
  readonly issuerUrl: string;
  readonly clientId: string;
  /** Empty leaves the stored one. */
  readonly clientSecret: string;
  /** Separated by commas or blanks. */
  readonly emailDomains: string;
  readonly additionalScopes: string;
  readonly claims: Readonly<Record<Attribute, string>>;
  readonly claimsExpression: string;
}

export const EMPTY_FORM: ConfigurationForm = {
  displayName: '',
  issuerUrl: '',
  clientId: '',
  clientSecret: '',
  emailDomains: '',
  additionalScopes: '',
  claims: { email: '', name: '', picture: '', groups: '' },
  claimsExpression: '',
};

export function readForm(stored: SSOConfiguration): ConfigurationForm {
  const { claims } = stored;
  return {
    displayName: stored.displayName,
    issuerUrl: stored.issuerUrl,
    clientId: stored.clientId,
    clientSecret: '',
    emailDomains: stored.emailDomains.join(', '),
    additionalScopes: stored.additionalScopes.join(' '),
    claims: {
      email: claims['email'] ?? '',
      name: claims['name'] ?? '',
      picture: claims['picture'] ?? '',
      groups: claims['groups'] ?? '',
    },
    claimsExpression: stored.claimsExpression,
  };
}

export function splitList(text: string): string[] {
  return text.split(/[\s,;]+/).filter((part) => part !== '');
}

/** @param stored the configuration of which it is a draft: mappings that have no field here are kept */
export function writeDraft(
  form: ConfigurationForm,
  stored?: SSOConfiguration,
): MessageInitShape<typeof SSOConfigurationDraftSchema> {
  return {
    issuerUrl: form.issuerUrl.trim(),
    clientId: form.clientId.trim(),
    ...(form.clientSecret !== '' && { clientSecret: form.clientSecret }),
    emailDomains: splitList(form.emailDomains),
    additionalScopes: splitList(form.additionalScopes),
    claims: { ...stored?.claims, ...trimClaims(form.claims) },
    claimsExpression: form.claimsExpression,
  };
}

export function writeNew(
  form: ConfigurationForm,
  organizationId: string,
): MessageInitShape<typeof CreateSSOConfigurationRequestSchema> {
  return {
    organizationId,
    displayName: form.displayName.trim(),
    issuerUrl: form.issuerUrl.trim(),
    clientId: form.clientId.trim(),
    clientSecret: form.clientSecret,
    emailDomains: splitList(form.emailDomains),
    additionalScopes: splitList(form.additionalScopes),
    claimsExpression: form.claimsExpression,
  };
}

/** What was changed, and nothing else: what others changed meanwhile stays. */
export function writeChange(
  form: ConfigurationForm,
  stored: SSOConfiguration,
): SsoConfigurationChange {
  const emailDomains = splitList(form.emailDomains);
  const scopes = splitList(form.additionalScopes);
  return {
    displayName: changeText(form.displayName.trim(), stored.displayName),
    issuerUrl: form.issuerUrl.trim() === stored.issuerUrl ? leave : set(form.issuerUrl.trim()),
    clientId: form.clientId.trim() === stored.clientId ? leave : set(form.clientId.trim()),
    clientSecret: form.clientSecret === '' ? leave : set(form.clientSecret),
    emailDomains: isSameList(emailDomains, stored.emailDomains) ? leave : set(emailDomains),
    additionalScopes: isSameList(scopes, stored.additionalScopes)
      ? leave
      : scopes.length === 0
        ? clear
        : set(scopes),
    claims: Object.fromEntries(
      ATTRIBUTES.map((attribute) => [
        attribute,
        changeText(form.claims[attribute].trim(), stored.claims[attribute] ?? ''),
      ]),
    ),
    claimsExpression: changeText(form.claimsExpression, stored.claimsExpression),
  };
}

/** Whether there is anything to save. */
export function hasChanges({ claims = {}, ...fields }: SsoConfigurationChange): boolean {
  return [...Object.values(fields), ...Object.values(claims)].some(
    (change) => change !== undefined && change.kind !== 'leave',
  );
}

function changeText(text: string, stored: string): ClearableChange<string> {
  if (text === stored) return leave;
  return text === '' ? clear : set(text);
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

function trimClaims(claims: ConfigurationForm['claims']): Record<string, string> {
  return Object.fromEntries(ATTRIBUTES.map((attribute) => [attribute, claims[attribute].trim()]));
}
