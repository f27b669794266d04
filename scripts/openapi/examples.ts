/** Owns what requests and answers look like in the examples: a few well-chosen values, by the names of fields. */
import { fromJson, isMessage, ScalarType, toJson } from '@bufbuild/protobuf';
import type { DescField, DescMessage, JsonValue } from '@bufbuild/protobuf';
import { createValidator } from '@bufbuild/protovalidate';

import { isNeeded, readRules } from './rules.ts';
import type { Direction } from './schemas.ts';

const ID = '01a1ff41-cb49-7693-b98c-57cc1ed6cfd3';
const SAMPLES: Readonly<Record<string, JsonValue>> = {
  action: 'sso_configuration.updated',
  audience: ['https://api.example.com'],
  audiences: ['https://api.example.com'],
  claims: { email: 'email' },
  claims_expression: 'claims.email.endsWith("@example.com")',
  claims_json: '{"email": "ada@example.com"}',
  client_id: 'claimgate',
  client_secret: 'the secret that the identity provider gave',
  description: 'dashboard',
  display_name: 'Example Ltd',
  domain: 'example.com',
  domains: ['example.com'],
  email: 'ada@example.com',
  email_domain: 'example.com',
  email_domains: ['example.com'],
  full_name: 'Ada Lovelace',
  issuer_url: 'https://idp.example.com',
  login_provider: 'idp.example.com',
  login_url: `https://sso.example.com/login/${ID}`,
  name: 'Example Ltd',
  next_token: '',
  organization_name: 'Example Ltd',
  page_size: 25,
  prefix: 'cgpat_',
  redirect_uri: `https://sso.example.com/auth/oidc/callback/${ID}`,
  scopes: ['groups'],
  token: '',
  valid_for: '86400s',
  verification_token: '0123456789abcdef0123456789abcdef',
};
/** Of enums whose first value is one that Claimgate never gives. */
const ENUM_SAMPLES: Readonly<Record<string, string>> = {
  'gitpod.v1.AuditLogEntryKind': 'AUDIT_LOG_ENTRY_KIND_RESOURCE_CHANGE',
  'gitpod.v1.Principal': 'PRINCIPAL_USER',
  'gitpod.v1.ResourceType': 'RESOURCE_TYPE_SSO_CONFIG',
};
const TIME = '2026-11-21T09:30:00Z';

const validator = createValidator();

/** An example of a message, as JSON. Requests pass the rules; answers have every field. */
export function createExample(desc: DescMessage, direction: Direction): JsonValue {
  const example = describeMessage(desc, direction, []);
  const message = fromJson(desc, example);
  const { kind, error } = validator.validate(desc, message);
  if (direction === 'request' && kind !== 'valid')
    throw new Error(`the example of ${desc.typeName} breaks a rule: ${error?.message}`);
  return isMessage(message, desc) && direction === 'answer'
    ? toJson(desc, message, { alwaysEmitImplicit: true })
    : example;
}

function describeMessage(
  desc: DescMessage,
  direction: Direction,
  parents: readonly DescMessage[],
): { [name: string]: JsonValue } {
  if (parents.includes(desc)) return {};
  const fields = desc.fields.filter(
    (field) => direction === 'answer' || isNeeded(field) || isTelling(field),
  );
  return Object.fromEntries(
    fields.map((field) => [field.jsonName, describeField(field, direction, [...parents, desc])]),
  );
}

/** Worth showing in a request though it may be left out. */
function isTelling(field: DescField): boolean {
  const { name, parent } = field;
  return (
    findSample(field) !== undefined &&
    name !== 'email_domain' &&
    !/Get|List|Delete/.test(parent.name)
  );
}

/** Fields of one name can be of several kinds. */
function findSample({ name, fieldKind }: DescField): JsonValue | undefined {
  const sample = SAMPLES[name];
  if (Array.isArray(sample)) return fieldKind === 'list' ? sample : undefined;
  if (typeof sample === 'object') return fieldKind === 'map' ? sample : undefined;
  return fieldKind === 'scalar' ? sample : undefined;
}

function describeField(
  field: DescField,
  direction: Direction,
  parents: readonly DescMessage[],
): JsonValue {
  const sample = findSample(field);
  if (sample !== undefined) return sample;
  if (field.fieldKind === 'map') return {};
  if (field.fieldKind !== 'list') return describeSingle(field, direction, parents);
  const isShown = direction === 'answer' && field.message !== undefined;
  return isShown ? [describeSingle(field, direction, parents)] : [];
}

function describeSingle(
  field: DescField,
  direction: Direction,
  parents: readonly DescMessage[],
): JsonValue {
  if (field.message !== undefined) {
    if (field.message.typeName === 'google.protobuf.Timestamp') return TIME;
    if (field.message.typeName === 'google.protobuf.Duration') return '86400s';
    return describeMessage(field.message, direction, parents);
  }
  if (field.enum !== undefined) {
    const { typeName, values } = field.enum;
    return ENUM_SAMPLES[typeName] ?? (values[1] ?? values[0])?.name ?? '';
  }
  const { type } = readRules(field);
  if (type.case === 'string' && type.value.wellKnown.case === 'uuid') return ID;
  if (type.case === 'string' && type.value.wellKnown.case === 'uri') return 'https://example.com/';
  if (field.scalar === ScalarType.BOOL) return true;
  if (field.scalar !== ScalarType.STRING) return 1;
  return field.name === 'id' || field.name.endsWith('_id') ? ID : '';
}
