import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { startDnsServer } from '../support/start-dns-server.ts';
import type { StartedDnsServer } from '../support/start-dns-server.ts';
import { isRow, readObject, readRows } from './json-output.ts';
import type { Row } from './json-output.ts';
import { runClaimgate } from './run-claimgate.ts';
import type { Finished, RunOptions } from './run-claimgate.ts';

const SECRET = 'canary-client-secret-7f3a';

let dns: StartedDnsServer;
let server: StartedClaimgate;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claimgate-cli-'));
  dns = await startDnsServer();
  server = await startClaimgate({ CLAIMGATE_DNS_SERVERS: dns.address });
});

afterAll(async () => {
  await server.stop();
  await dns.stop();
  await rm(folder, { recursive: true, force: true });
});

async function run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const env = { CLAIMGATE_URL: server.url, CLAIMGATE_TOKEN: server.token };
  return runClaimgate(args, { ...options, env: { ...env, ...options.env } });
}

/** Runs a command that must succeed, and parses its JSON. */
async function runJson(args: readonly string[], options: RunOptions = {}): Promise<Row> {
  return readObject(await run([...args, '--json'], options));
}

async function listJson(args: readonly string[]): Promise<readonly Row[]> {
  const finished = await run([...args, '--json']);
  expect(finished.stderr).toBe('');
  return readRows(finished);
}

describe('claimgate sso', () => {
  const create = [
    'sso',
    'create',
    '--issuer-url',
    'https://idp.example.com',
    '--client-secret-file',
    '-',
    '--email-domain',
    'example.com',
  ];

  test('creates a configuration that is off from the start', async () => {
    const args = [...create, '--client-id', 'careful', '--inactive'];
    const { id, state } = await runJson(args, { stdin: SECRET });
    expect(state).toBe('SSO_CONFIGURATION_STATE_INACTIVE');
    await run(['sso', 'delete', String(id), '--yes']);
  });

  test('creates, shows, changes, lists and deletes a configuration, and never shows its secret', async () => {
    const created = await runJson([...create, '--client-id', 'journey', '--scope', 'groups'], {
      stdin: `${SECRET}\n`,
    });
    expect(created).toMatchObject({
      organizationId: server.organizationId,
      clientId: 'journey',
      state: 'SSO_CONFIGURATION_STATE_ACTIVE',
      emailDomains: ['example.com'],
      additionalScopes: ['groups'],
      claims: {},
      displayName: '',
    });
    const id = String(created['id']);

    const expression = join(folder, 'rule.cel');
    await writeFile(expression, 'claims.email_verified\n');
    const update =
      '--display-name Example --state inactive --clear-scopes --claim email=mail --claim groups=roles';
    const updated = await runJson([
      'sso',
      'update',
      id,
      ...update.split(' '),
      '--claims-expression-file',
      expression,
    ]);
    expect(updated).toEqual({
      ...created,
      displayName: 'Example',
      state: 'SSO_CONFIGURATION_STATE_INACTIVE',
      additionalScopes: [],
      claims: { email: 'mail', groups: 'roles' },
      claimsExpression: 'claims.email_verified',
    });

    const clearing =
      '--clear-display-name --clear-claims-expression --clear-claim groups --client-secret-file -';
    const cleared = await runJson(['sso', 'update', id, ...clearing.split(' ')], {
      stdin: `${SECRET}-2`,
    });
    expect(cleared).toEqual({
      ...updated,
      displayName: '',
      claimsExpression: '',
      claims: { email: 'mail' },
    });
    expect(await runJson(['sso', 'get', id])).toEqual(cleared);

    const shown = await run(['sso', 'get', id]);
    expect(shown.stdout).toMatch(/^Claims mapping +email=mail$/m);
    const listed = await run(['sso', 'list']);
    expect(listed.stdout).toMatch(new RegExp(`^${id} +inactive +- +https://idp.example.com`, 'm'));
    expect(await listJson(['sso', 'list'])).toContainEqual(cleared);

    const kept = await run(['sso', 'delete', id]);
    expect(kept).toMatchObject({ exitCode: 2, stdout: '' });
    expect(kept.stderr).toContain('--yes');
    const deleted = await run(['sso', 'delete', id, '--yes']);
    expect(deleted).toMatchObject({ exitCode: 0, stdout: '' });
    const gone = await run(['sso', 'get', id]);
    expect(gone).toMatchObject({ exitCode: 4, stdout: '' });

    const printed = [JSON.stringify([created, updated, cleared]), shown.stdout, listed.stdout];
    expect(printed.join()).not.toContain(SECRET);
    expect(server.readLog()).not.toContain(SECRET);
  });

  test('refuses a duplicate with 5, and wrong values by the names of their fields', async () => {
    const secret = join(folder, 'secret');
    await writeFile(secret, SECRET);
    const twice = [...create, '--client-id', 'twice'].map((arg) => (arg === '-' ? secret : arg));
    readObject(await run([...twice, '--json']));
    expect(await run(twice)).toMatchObject({ exitCode: 5, stdout: '' });

    const refused = await run([
      ...twice,
      '--email-domain',
      'no domain',
      '--display-name',
      'x'.repeat(200),
    ]);
    expect(refused).toMatchObject({ exitCode: 5, stdout: '' });
    expect(refused.stderr).toMatch(/^ {2}email_domains\[1\]: /m);
    expect(refused.stderr).toMatch(/^ {2}display_name: /m);
    expect(refused.stderr).toMatch(/^Request \S+$/m);
    expect(refused.stderr).not.toContain(SECRET);
  });

  test('prints lists as one document, as many rows as asked', async () => {
    expect(await listJson(['sso', 'list', '--limit', '1'])).toHaveLength(1);
    const { stdout } = await run(['sso', 'list', '--limit', '1']);
    expect(stdout.split('\n')).toHaveLength(3);
  });
});

describe('claimgate domain', () => {
  test('proves a domain by the TXT record that it says to publish', async () => {
    const created = await run(['domain', 'create', 'Proof.example.com']);
    expect(created.exitCode).toBe(0);
    const [, name = ''] = /^TXT record +(\S+)$/m.exec(created.stdout) ?? [];
    const [, value = ''] = /^TXT value +(\S+)$/m.exec(created.stdout) ?? [];
    const [, id = ''] = /^Id +(\S+)$/m.exec(created.stdout) ?? [];
    expect(name).toBe('_claimgate-challenge.proof.example.com');
    expect(created.stderr).toContain(`claimgate domain verify ${id}`);

    const early = await run(['domain', 'verify', id]);
    expect(early).toMatchObject({ exitCode: 5, stdout: '' });
    dns.setTxt(name, [value]);
    const verified = await runJson(['domain', 'verify', id]);
    expect(verified).toMatchObject({ state: 'DOMAIN_VERIFICATION_STATE_VERIFIED' });
    expect(await runJson(['domain', 'get', id])).toEqual(verified);
    expect(await listJson(['domain', 'list'])).toEqual([verified]);

    expect(await runJson(['domain', 'delete', id, '--yes'])).toEqual({});
    expect(await listJson(['domain', 'list'])).toEqual([]);
  });
});

describe('claimgate org', () => {
  test('creates, changes, shows and deletes an organization that is named', async () => {
    const response = await runJson(['org', 'create', 'Example Ltd', '--join']);
    const { organization, member } = response;
    if (!isRow(organization) || !isRow(member)) throw new Error('no organization');
    const at = ['--organization', String(organization['id'])];
    const args = ['org', 'update', '--name', 'Example Inc', '--invite-domain', 'example.com'];
    const updated = await runJson([...args, ...at]);
    expect(updated).toMatchObject({
      name: 'Example Inc',
      inviteDomains: { domains: ['example.com'] },
    });
    expect(await runJson(['org', 'update', '--clear-invite-domains', ...at])).toMatchObject({
      name: 'Example Inc',
      inviteDomains: { domains: [] },
    });
    const members = await listJson(['org', 'members', '--role', 'admin', '--sort', 'name', ...at]);
    expect(members).toEqual([member]);
    const lastAdmin = await run(['org', 'set-role', String(member['userId']), 'member', ...at]);
    expect(lastAdmin.exitCode).toBe(5);
    const deleted = await run(['org', 'delete', String(organization['id']), '--yes']);
    expect(deleted.exitCode).toBe(0);
    expect((await run(['org', 'get', ...at])).exitCode).toBe(4);
  });

  test("means the token's own organization when none is named", async () => {
    expect(await runJson(['org', 'get'])).toMatchObject({ id: server.organizationId });
    const lastAdmin = await run(['org', 'leave', '--yes']);
    expect(lastAdmin.exitCode).toBe(5);
  });
});

describe('claimgate token', () => {
  test('prints a token alone, which works from a file until it is deleted', async () => {
    const args = [
      'token',
      'create',
      '--description',
      'cli test',
      '--read-only',
      '--valid-for',
      '12h',
    ];
    const { exitCode, stdout } = await run(args);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^cgpat_[0-9a-f]{48}\n$/);
    const file = join(folder, 'token');
    await writeFile(file, stdout);

    const tokens = await listJson(['token', 'list']);
    const record = tokens.find(({ description }) => description === 'cli test');
    const lifetime =
      Date.parse(String(record?.['expiresAt'])) - Date.parse(String(record?.['createdAt']));
    expect(record).toMatchObject({ readOnly: true });
    expect(lifetime).toBe(12 * 60 * 60 * 1000);
    expect(JSON.stringify(tokens)).not.toContain(stdout.trim());

    const asReader = { env: { CLAIMGATE_TOKEN: '' } };
    const read = await run(['sso', 'list', '--token-file', file], asReader);
    expect(read.exitCode).toBe(0);
    const write = await run(['domain', 'create', 'a.example', '--token-file', file], asReader);
    expect(write.exitCode).toBe(3);
    const piped = await run(['org', 'get', '--token-file', '-'], {
      ...asReader,
      stdin: await readFile(file, 'utf8'),
    });
    expect(piped.exitCode).toBe(0);

    expect((await run(['token', 'delete', String(record?.['id']), '--yes'])).exitCode).toBe(0);
    const revoked = await run(['sso', 'list', '--token-file', file], asReader);
    expect(revoked).toMatchObject({ exitCode: 3, stdout: '' });
    expect(revoked.stderr).not.toContain(stdout.trim());
  });
});
