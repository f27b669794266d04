// No text with U+0000 gets in, wherever a request can hold it: one database could store it, and the other not.
import { fromJson, ScalarType } from '@bufbuild/protobuf';
import type { DescField, DescMessage, JsonObject, JsonValue } from '@bufbuild/protobuf';
import { StructSchema } from '@bufbuild/protobuf/wkt';
import { expect, onTestFinished, test } from 'vitest';

import { createRequestValidator } from '../../src/rpc/request-validator.ts';
import { callJson } from '../support/call-json.ts';
import { OUR_SERVICES } from '../support/our-services.ts';
import { startClaimgate } from '../support/start-claimgate.ts';

const TEXT = 'with \0 in it';

interface Place {
  /** As errors name it. */
  readonly field: string;
  readonly request: JsonObject;
}

/** Everywhere in a message where there can be text. */
function listPlaces({ fields }: DescMessage): readonly Place[] {
  return fields.flatMap((field) =>
    listValues(field).map(({ below, value }) => ({
      field: field.name + below,
      request: { [field.jsonName]: value },
    })),
  );
}

function listValues(field: DescField): readonly { below: string; value: JsonValue }[] {
  const { message, scalar } = field;
  if (field.fieldKind === 'map') {
    return [
      { below: '["key"]', value: { key: TEXT } },
      { below: '', value: { [TEXT]: 'value' } },
    ];
  }
  const [before, wrap] =
    field.fieldKind === 'list'
      ? ['[0]', (value: JsonValue) => [value]]
      : ['', (value: JsonValue) => value];
  if (scalar === ScalarType.STRING) return [{ below: before, value: wrap(TEXT) }];
  if (message === undefined) return [];
  if (message.typeName === StructSchema.typeName) {
    return [{ [TEXT]: 1 }, { deep: [{ down: TEXT }] }].map((value) => ({
      below: before,
      value: wrap(value),
    }));
  }
  return listPlaces(message).map((place) => ({
    below: `${before}.${place.field}`,
    value: wrap(place.request),
  }));
}

const CASES = OUR_SERVICES.flatMap(({ methods }) =>
  methods.flatMap(({ parent, name, input }) =>
    listPlaces(input).map(({ field, request }) => ({
      what: `${parent.name}/${name} ${field}`,
      input,
      field,
      request,
    })),
  ),
);

test.each(CASES)('$what refuses it', ({ input, field, request }) => {
  const result = createRequestValidator().validate(input, fromJson(input, request));
  const violations = result.kind === 'invalid' ? result.violations.map(String) : [];
  expect(violations).toEqual([
    `${field}: must not hold the character U+0000; leave it out [text.no_nul]`,
  ]);
});

test('The answer names the field, over the wire', async () => {
  expect(CASES.length).toBeGreaterThan(50);
  const claimgate = await startClaimgate();
  onTestFinished(() => claimgate.stop());
  const { organizationId, token, url } = claimgate;
  const request = {
    organizationId,
    clientId: 'client',
    clientSecret: 'hush',
    issuerUrl: 'https://idp.example.com',
    emailDomains: ['a.example'],
    additionalScopes: ['groups', TEXT],
  };
  const answer = await callJson(url, 'OrganizationService/CreateSSOConfiguration', request, {
    token,
  });
  expect([answer.status, answer.body['code']]).toEqual([400, 'invalid_argument']);
  expect(answer.body['message']).toContain(
    'additional_scopes[1]: must not hold the character U+0000',
  );
  expect(answer.headers.get('x-should-retry')).toBe('false');
});
