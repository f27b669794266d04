import { afterAll, beforeAll, expect, test } from 'vitest';

import { createClaimgateClient } from '../../src/client/node.ts';
import { IDTokenVersion } from '../../gen/gitpod/v1/identity_pb.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { findExamples, readDocument } from './read-examples.ts';
import { runProgram } from './run-examples.ts';

const BACKEND = findExamples(await readDocument('docs/product-integration.md')).find(
  ({ language }) => language === 'ts',
);

let server: StartedClaimgate;

beforeAll(async () => {
  server = await startClaimgate();
});

afterAll(() => server.stop());

test("The backend's lines verify an ID token, and refuse one for another audience", async () => {
  const { identity } = createClaimgateClient({ baseUrl: server.url, token: server.token });
  const getToken = async (audience: string) =>
    (
      await identity.getIDToken({
        audience: [audience],
        version: IDTokenVersion.ID_TOKEN_VERSION_V2,
      })
    ).token;
  const { organizationId, subject } = await identity.getAuthenticatedIdentity({});

  const lines = BACKEND?.code.replaceAll('https://sso.example.com', server.url) ?? '';
  const use = `
    const [ours = '', others = ''] = (process.env['ID_TOKENS'] ?? '').split(' ');
    const refused = await readPerson(others).then(() => 'accepted', () => 'refused');
    console.log(JSON.stringify({ ...(await readPerson(ours)), refused }));`;
  const tokens = [
    await getToken('https://api.example.com'),
    await getToken('https://other.example'),
  ];
  const [output = ''] = await runProgram([lines + use], { ID_TOKENS: tokens.join(' ') });

  expect(JSON.parse(output)).toMatchObject({
    organizationId,
    userId: subject?.id,
    email: expect.any(String),
    refused: 'refused',
  });
}, 60_000);
