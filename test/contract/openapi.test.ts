// The OpenAPI document as it is committed: that it is one, that nothing is missing in it, and that its words are there.
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';

import document from '../../gen/openapi.json' with { type: 'json' };
import { OUR_SERVICES } from '../support/our-services.ts';

const { NO_SIDE_EFFECTS } = MethodOptions_IdempotencyLevel;
const paths: Readonly<Record<string, Readonly<Record<string, unknown>>>> = document.paths;
const methods = OUR_SERVICES.flatMap((service) => service.methods);

test('is a valid document of OpenAPI 3.1', async () => {
  const validator = new Validator();
  expect(await validator.validate(structuredClone(document))).toEqual({ valid: true });
  expect(validator.version).toBe('3.1');
});

test('has every method that is served, by GET too if it changes nothing', () => {
  for (const { parent, name, idempotency } of methods) {
    const operations = Object.keys(paths[`/${parent.typeName}/${name}`] ?? {});
    expect([name, ...operations]).toEqual([
      name,
      'post',
      ...(idempotency === NO_SIDE_EFFECTS ? ['get'] : []),
    ]);
  }
});

test('says the two paths under which methods are, and what callers identify themselves with', () => {
  expect(document.servers.map(({ url }) => url)).toEqual(['/', '/api']);
  expect(Object.keys(document.components.securitySchemes)).toEqual(['token', 'session']);
});

test('describes each method, and each field of each message', () => {
  for (const operations of Object.values(paths)) {
    for (const operation of Object.values(operations)) {
      expect(operation).toMatchObject({ summary: expect.stringMatching(/^[A-Z].*\.$/) });
    }
  }
  const silent = Object.entries(document.components.schemas).flatMap(([name, schema]) =>
    Object.entries('properties' in schema ? schema.properties : {})
      .filter(([, field]) => !('description' in field) && name !== 'Error')
      .map(([field]) => `${name}.${field}`),
  );
  expect(silent).toEqual([]);
});

test('holds requests to the rules of the schema', () => {
  const { components } = document;
  const create = components.schemas['gitpod.v1.CreateSSOConfigurationRequest'];
  expect(create.required).toEqual(['organizationId', 'clientId', 'clientSecret', 'issuerUrl']);
  expect(create.properties).toMatchObject({
    organizationId: { format: 'uuid' },
    displayName: { maxLength: 128 },
    emailDomains: { uniqueItems: true, items: { minLength: 4, maxLength: 253 } },
  });
});
