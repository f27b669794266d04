// `buf curl`, over each protocol, with nothing but our proto files, and by reflection without them.
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { writeValidateProto } from '../../scripts/write-validate-proto.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';

const root = join(import.meta.dirname, '..', '..');

let claimgate: StartedClaimgate;

beforeAll(async () => {
  writeValidateProto(root);
  claimgate = await startClaimgate();
});

afterAll(() => claimgate.stop());

async function bufCurl(rpc: string, body: object, options: readonly string[], schema = 'proto') {
  const url = `${claimgate.url}/gitpod.v1.${rpc}`;
  const source = schema === '' ? [] : ['--schema', schema];
  const args = ['curl', ...source, '--data', JSON.stringify(body), ...options, url];
  const child = spawn(join(root, 'node_modules', '.bin', 'buf'), args, { cwd: root });
  child.stdin.end();
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => void child.once('close', resolve)),
  ]);
  const output = `${stdout}${stderr}`;
  const answer: Record<string, unknown> = output.startsWith('{') ? JSON.parse(output) : { output };
  return { code, answer };
}

const protocols: [name: string, ...options: string[]][] = [
  ['connect', '--protocol', 'connect'],
  ['connect on HTTP/2', '--protocol', 'connect', '--http2-prior-knowledge'],
  ['grpc', '--protocol', 'grpc', '--http2-prior-knowledge'],
  ['grpc-web', '--protocol', 'grpcweb'],
  ['grpc-web on HTTP/2', '--protocol', 'grpcweb', '--http2-prior-knowledge'],
];

describe.each(protocols)('%s', (name, ...options) => {
  test('creates, reads, and is refused with a reason', async () => {
    const authorized = [...options, '--header', `Authorization: Bearer ${claimgate.token}`];
    const created = await bufCurl(
      'OrganizationService/CreateSSOConfiguration',
      {
        organizationId: claimgate.organizationId,
        clientId: name,
        clientSecret: 'hush',
        issuerUrl: 'https://idp.example.com',
      },
      authorized,
    );
    expect(created).toMatchObject({ code: 0, answer: { ssoConfiguration: { clientId: name } } });
    const { id: ssoConfigurationId } = created.answer['ssoConfiguration'] as { id: string };
    const get = 'OrganizationService/GetSSOConfiguration';
    const read = await bufCurl(get, { ssoConfigurationId }, authorized);
    expect(read.answer).toEqual(created.answer);
    const refused = await bufCurl(get, { ssoConfigurationId }, options);
    expect(refused.answer).toMatchObject({ code: 'unauthenticated' });
    expect(refused.code).not.toBe(0);
    const broken = await bufCurl(get, { ssoConfigurationId: 'x' }, authorized);
    expect(broken.answer).toMatchObject({
      code: 'invalid_argument',
      details: [
        { type: 'buf.validate.Violations' },
        { type: 'google.rpc.BadRequest' },
        { type: 'google.rpc.ErrorInfo' },
      ],
    });
  });
});

test.each(['grpc-v1', 'grpc-v1alpha'])('without a schema, by reflection of %s', async (version) => {
  const rpc = 'IdentityService/GetAuthenticatedIdentity';
  const header = `Authorization: Bearer ${claimgate.token}`;
  const options = ['--http2-prior-knowledge', '--reflect-protocol', version, '--header', header];
  const { answer } = await bufCurl(rpc, {}, options, '');
  expect(answer).toMatchObject({ organizationId: claimgate.organizationId });
});
