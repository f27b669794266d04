// The requests that the API's own reference gives as examples, as written there but for host, token and id.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { callJson } from '../support/call-json.ts';
import { createApi } from '../support/create-api.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';

const REFERENCE_HOST = 'https://app.gitpod.io';
const REFERENCE_ID = 'd2c94c27-3b76-4a42-b88c-95a85e392c68';

/** GetSSOConfiguration, an example for the shell. */
const GET_EXAMPLE = `curl https://app.gitpod.io/api/gitpod.v1.OrganizationService/GetSSOConfiguration \\
    -H 'Content-Type: application/json' \\
    -H "Authorization: Bearer $GITPOD_API_KEY" \\
    -d '{
          "ssoConfigurationId": "d2c94c27-3b76-4a42-b88c-95a85e392c68"
        }'`;

/** UpdateSSOConfiguration, an example in Python: the arguments, as its client puts them into the body. */
const UPDATE_EXAMPLE = {
  ssoConfigurationId: REFERENCE_ID,
  clientId: 'new-client-id',
  clientSecret: 'new-client-secret',
};

/** What the Python client sends besides. */
const PYTHON_HEADERS = {
  accept: 'application/json',
  'user-agent': 'Gitpod/Python 0.7.0',
  'x-stainless-lang': 'python',
  'x-stainless-package-version': '0.7.0',
  'x-stainless-async': 'false',
  'x-stainless-retry-count': '0',
  'x-stainless-read-timeout': '60',
};

let claimgate: StartedClaimgate;
let id: string;

beforeAll(async () => {
  claimgate = await startClaimgate();
  const { organizations } = createApi(claimgate.url, `Bearer ${claimgate.token}`);
  const { ssoConfiguration } = await organizations.createSSOConfiguration({
    organizationId: claimgate.organizationId,
    clientId: 'old-client-id',
    clientSecret: 'old-client-secret',
    issuerUrl: 'https://idp.example.com',
    emailDomain: 'example.com',
  });
  id = ssoConfiguration?.id ?? '';
});

afterAll(() => claimgate.stop());

/** All fields that the reference shows in its response, optional ones included. */
const SHOWN = [
  'additionalScopes',
  'claims',
  'claimsExpression',
  'clientId',
  'displayName',
  'emailDomain',
  'emailDomains',
  'id',
  'issuerUrl',
  'organizationId',
  'providerType',
  'state',
];

const hasCurl = await promisify(execFile)('curl', ['--version']).then(
  () => true,
  () => false,
);

test.skipIf(!hasCurl)('GetSSOConfiguration: the command for the shell', async () => {
  const command = GET_EXAMPLE.replace(REFERENCE_HOST, claimgate.url).replace(REFERENCE_ID, id);
  const { stdout } = await promisify(execFile)('sh', ['-c', command], {
    env: { PATH: process.env['PATH'], GITPOD_API_KEY: claimgate.token },
  });
  expect(stdout).toMatch(/^\{"ssoConfiguration":\{/);
  const { ssoConfiguration } = JSON.parse(stdout) as { ssoConfiguration: object };
  expect(ssoConfiguration).toMatchObject({ id, organizationId: claimgate.organizationId });
  expect(Object.keys(ssoConfiguration).toSorted()).toEqual(SHOWN);
});

test('GetSSOConfiguration: the same request without a shell', async () => {
  const rpc = 'OrganizationService/GetSSOConfiguration';
  const text = `{\n  "ssoConfigurationId": "${id}"\n}`;
  const answer = await callJson(claimgate.url, rpc, text, {
    token: claimgate.token,
    prefix: '/api',
  });
  expect(answer.status).toBe(200);
  expect(Object.keys(answer.body['ssoConfiguration'] ?? {}).toSorted()).toEqual(SHOWN);
});

test('UpdateSSOConfiguration: the call of the Python client, answered by an empty object', async () => {
  const rpc = 'OrganizationService/UpdateSSOConfiguration';
  const change = { ...UPDATE_EXAMPLE, ssoConfigurationId: id };
  const options = { token: claimgate.token, prefix: '/api', headers: PYTHON_HEADERS };
  const answer = await callJson(claimgate.url, rpc, change, options);
  expect([answer.status, answer.text]).toEqual([200, '{}']);
  const state = { ssoConfigurationId: id, state: 'SSO_CONFIGURATION_STATE_ACTIVE' };
  expect((await callJson(claimgate.url, rpc, state, options)).text).toBe('{}');
  const { organizations } = createApi(claimgate.url, `Bearer ${claimgate.token}`);
  const { ssoConfiguration } = await organizations.getSSOConfiguration({ ssoConfigurationId: id });
  expect(ssoConfiguration).toMatchObject({ clientId: 'new-client-id', emailDomain: 'example.com' });
});

test('with the reference’s own id, which nobody has here, it is not found', async () => {
  const rpc = 'OrganizationService/UpdateSSOConfiguration';
  const answer = await callJson(claimgate.url, rpc, UPDATE_EXAMPLE, { token: claimgate.token });
  expect([answer.status, answer.body['code']]).toEqual([404, 'not_found']);
});
