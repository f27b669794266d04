// That secrets which went in come out nowhere: a canary is looked for in all that leaves and in all that stays.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { createClient } from '@connectrpc/connect';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { AuditService } from '../../gen/claimgate/v1/audit_pb.ts';
import { callJson, callRaw } from '../support/call-json.ts';
import { openTransport } from '../support/create-api.ts';
import { openBackstage } from '../support/open-backstage.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';

const secret = (what: string) => `canary-${what}-${randomBytes(12).toString('hex')}`;
const canaries = {
  bootstrapToken: secret('bootstrap'),
  clientSecret: secret('client-secret'),
  newClientSecret: secret('new-client-secret'),
  refusedClientSecret: secret('refused-client-secret'),
  unknownToken: secret('unknown-token'),
};

let claimgate: StartedClaimgate;
const responses: string[] = [];

beforeAll(async () => {
  claimgate = await startClaimgate({
    CLAIMGATE_BOOTSTRAP_TOKEN: canaries.bootstrapToken,
    CLAIMGATE_LOG_LEVEL: 'trace',
  });
});

afterAll(() => claimgate.stop());

async function call(rpc: string, body: object, token = claimgate.token) {
  const answer = await callJson(claimgate.url, rpc, body, { token });
  responses.push(JSON.stringify([...answer.headers]), answer.text);
  return answer;
}

test('a client secret and a token are in no response, log line, error, audit record or file', async () => {
  const { organizationId } = claimgate;
  const valid = {
    organizationId,
    clientId: 'client',
    clientSecret: canaries.clientSecret,
    issuerUrl: 'https://idp.example.com',
  };
  const service = 'OrganizationService';
  const created = await call(`${service}/CreateSSOConfiguration`, valid);
  expect(created.status).toBe(200);
  const { id: ssoConfigurationId } = created.body['ssoConfiguration'] as { id: string };
  await call(`${service}/GetSSOConfiguration`, { ssoConfigurationId });
  await call(`${service}/ListSSOConfigurations`, { organizationId });
  const updated = await call(`${service}/UpdateSSOConfiguration`, {
    ssoConfigurationId,
    clientSecret: canaries.newClientSecret,
  });
  expect(updated.status).toBe(200);

  // Refusals: by the schema, by the domain, by the store, by the parser, and for the token.
  const clientSecret = canaries.refusedClientSecret;
  const refusals = [
    call(`${service}/CreateSSOConfiguration`, { ...valid, clientSecret, issuerUrl: 'nowhere' }),
    call(`${service}/CreateSSOConfiguration`, {
      ...valid,
      clientSecret,
      issuerUrl: 'http://x.example',
    }),
    call(`${service}/CreateSSOConfiguration`, { ...valid, clientSecret }),
    call(`${service}/UpdateSSOConfiguration`, { ssoConfigurationId: organizationId, clientSecret }),
    call(`${service}/UpdateSSOConfiguration`, { ssoConfigurationId, clientSecret, state: 'NONE' }),
    call(`${service}/CreateSSOConfiguration`, { ...valid, clientSecret: [clientSecret] }),
    call(`${service}/CreateSSOConfiguration`, {
      ...valid,
      clientSecret,
      displayName: { clientSecret },
    }),
    call(`${service}/GetSSOConfiguration`, { ssoConfigurationId }, canaries.unknownToken),
  ];
  for (const { status } of await Promise.all(refusals))
    expect([400, 401, 404, 409]).toContain(status);
  const cut = await callRaw(
    claimgate.url,
    `${service}/CreateSSOConfiguration`,
    JSON.stringify({ ...valid, clientSecret }).slice(0, -1),
    { token: claimgate.token },
  );
  responses.push(cut.text);

  // A token that is created is told this once, and never again.
  const me = await call('UserService/GetAuthenticatedUser', {});
  const { id: userId } = me.body['user'] as { id: string };
  const made = await callJson(
    claimgate.url,
    'UserService/CreatePersonalAccessToken',
    { userId },
    { token: claimgate.token },
  );
  const token = String(made.body['token']);
  await call('UserService/ListPersonalAccessTokens', {}, token);
  const idToken = await callJson(
    claimgate.url,
    'IdentityService/GetIDToken',
    { audience: ['a'] },
    { token },
  );
  expect(idToken.status).toBe(200);

  // What the audit log tells of all this, in both of its forms.
  const logged = await call('EventService/ListAuditLogs', { pagination: { pageSize: 100 } });
  expect(logged.text).toContain('personal_access_token.created');
  const audit = createClient(
    AuditService,
    openTransport(claimgate.url, `Bearer ${claimgate.token}`, 'connect'),
  );
  const listed = await audit.listAuditRecords({ pagination: { pageSize: 100 } });
  const records = JSON.stringify(listed.records, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  expect(records).toContain('client_secret');

  const backstage = await openBackstage(claimgate);
  expect(await backstage.store.readClientSecret(ssoConfigurationId)).toBe(canaries.newClientSecret);
  const [signingKey] = await backstage.store.listSigningKeys();
  const privateKey = String(signingKey?.privateKey.d);
  await backstage.close();

  const files = await readdir(claimgate.folder);
  expect(files).toContain('claimgate.db-wal');
  const contents = await Promise.all(
    files.map((file) => readFile(join(claimgate.folder, file), 'latin1')),
  );
  const places = {
    log: claimgate.readLog(),
    responses: responses.join('\n'),
    records,
    files: contents.join('\n'),
  };
  expect(places.log).toContain('CreateSSOConfiguration');
  expect(places.files).toContain('https://idp.example.com');
  const secrets = { ...canaries, token, privateKey, idToken: String(idToken.body['token']) };
  const leaks = Object.entries(places).flatMap(([place, text]) =>
    Object.entries(secrets)
      .filter(([, secret]) => spell(secret).some((spelling) => text.includes(spelling)))
      .map(([name]) => `${name} in ${place}`),
  );
  expect(leaks).toEqual([]);
});

/** As it is, and as it looks when bytes are written down. */
function spell(text: string): string[] {
  const bytes = Buffer.from(text);
  return [text, bytes.toString('hex'), bytes.toString('base64').replace(/=+$/, '')];
}
