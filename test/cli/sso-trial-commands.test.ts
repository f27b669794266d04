// The commands that try a configuration out: what they print, and that their exit codes tell a pipeline the answer.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { openBackstage } from '../support/open-backstage.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { startMisbehavingIdp } from '../support/start-misbehaving-idp.ts';
import type { MisbehavingIdp } from '../support/start-misbehaving-idp.ts';
import { runClaimgate, runInProcess } from './run-claimgate.ts';
import type { Finished, RunOptions } from './run-claimgate.ts';

let folder: string;
let idp: MisbehavingIdp;
let server: StartedClaimgate;
let ssoConfigurationId: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claimgate-cli-'));
  idp = await startMisbehavingIdp();
  server = await startClaimgate({
    CLAIMGATE_ALLOW_HTTP_ISSUERS: 'true',
    CLAIMGATE_ALLOW_PRIVATE_ISSUERS: 'true',
  });
  const created = await run(
    [
      'sso',
      'create',
      '--json',
      '--issuer-url',
      idp.issuer,
      '--client-id',
      idp.clientId,
      '--client-secret-file',
      '-',
      '--email-domain',
      'example.com',
    ],
    { stdin: idp.clientSecret },
  );
  ssoConfigurationId = String(JSON.parse(created.stdout).id);
});

afterAll(async () => {
  await server.stop();
  await idp.stop();
  await rm(folder, { recursive: true, force: true });
});

async function run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return runInProcess(args, {
    ...options,
    env: { CLAIMGATE_URL: server.url, CLAIMGATE_TOKEN: server.token, ...options.env },
  });
}

async function writeInput(content: string): Promise<string> {
  const file = join(folder, randomBytes(8).toString('hex'));
  await writeFile(file, content);
  return file;
}

describe('claimgate sso evaluate', () => {
  const rule = ['--claims-expression', 'claims.email.endsWith("@example.com")'];

  test('needs neither server nor token', async () => {
    const file = await writeInput('{"email": "ada@example.com"}');
    const args = ['sso', 'evaluate', '--claims-file', file, ...rule];
    const finished = await runClaimgate(args);
    expect(finished).toMatchObject({ exitCode: 0, stderr: '' });
    expect(finished.stdout).toContain('let in');
    expect(finished.stdout).toContain('ada@example.com');
  });

  test.each([
    ['{"email": "ada@example.com"}', 0],
    ['{"email": "ada@example.net"}', 7],
    ['{}', 7],
    ['[]', 5],
    ['no JSON', 5],
  ])('tells by its exit code what becomes of %s', async (claims, exitCode) => {
    const finished = await run(['sso', 'evaluate', '--claims-file', '-', ...rule], {
      stdin: claims,
    });
    expect(finished.exitCode).toBe(exitCode);
  });

  test('names the place of a mistake', async () => {
    const file = await writeInput('claims.email.endsWith(');
    const args = ['sso', 'evaluate', '--claims-file', '-', '--claims-expression-file', file];
    const finished = await run(args, { stdin: '{}' });
    expect(finished.exitCode).toBe(5);
    expect(finished.stdout).toContain('Line 1, column 22');
  });

  test('prints what the service would answer', async () => {
    const args = ['sso', 'evaluate', '--claims-file', '-', '--json', '--claim', 'email=mail'];
    const finished = await run([...args, '--claims-expression', 'claims.level > 3'], {
      stdin: '{"mail": "a@example.com", "level": 2}',
    });
    expect(JSON.parse(finished.stdout)).toMatchObject({
      verdict: { allowed: false, reason: 'false' },
      explanation: {
        causes: [{ line: 1, column: 1, seen: [{ expression: 'claims.level', value: '2' }] }],
      },
      attributes: { email: 'a@example.com' },
    });
  });

  test('lets no claim steer the terminal', async () => {
    const stdin = JSON.stringify({ email: '\u001b[2J\u202eada', [`\u001b]0;x`]: 1 });
    const { stdout } = await run(['sso', 'evaluate', '--claims-file', '-', ...rule], { stdin });
    expect(stdout).not.toContain('\u001b');
    expect(stdout).not.toContain('\u202e');
  });
});

describe('claimgate sso check', () => {
  test('reports every stage of a stored configuration', async () => {
    const { exitCode, stdout } = await run(['sso', 'check', ssoConfigurationId]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^passed +issuer /m);
    expect(stdout).toMatch(/^passed +client_authentication /m);
    expect(stdout).toContain(`${server.url}/auth/oidc/callback/${server.organizationId}`);
  });

  test('ends with 7 when a stage fails, and prints JSON all the same', async () => {
    const wrong = await writeInput('wrong');
    const finished = await run([
      'sso',
      'check',
      ssoConfigurationId,
      '--json',
      '--client-secret-file',
      wrong,
    ]);
    expect(finished.exitCode).toBe(7);
    const { stages } = JSON.parse(finished.stdout);
    expect(stages).toContainEqual(
      expect.objectContaining({
        name: 'client_authentication',
        outcome: 'CHECK_OUTCOME_FAILED',
      }),
    );
  });

  test('takes a configuration that is not stored, and wants to know which one', async () => {
    const secret = await writeInput(idp.clientSecret);
    const draft = ['--issuer-url', idp.issuer, '--client-id', idp.clientId];
    const args = ['sso', 'check', ...draft, '--client-secret-file', secret];
    expect(await run(args)).toMatchObject({ exitCode: 0 });
    expect(await run(['sso', 'check'])).toMatchObject({ exitCode: 2 });
  });
});

describe('claimgate sso preview and update', () => {
  test('tell who would be shut out, before and instead', async () => {
    const backstage = await openBackstage(server);
    const { organizationId } = server;
    const attempt = {
      id: newId(),
      organizationId,
      ssoConfigurationId,
      revision: 1,
      outcome: 'admitted',
      stage: 'session',
      reason: undefined,
      detail: '',
      maskedEmail: 'a***@example.com',
      address: '192.0.2.7',
      at: new Date(),
    } as const;
    const claims = { iss: idp.issuer, sub: 'ada', email: 'ada@example.com', email_verified: true };
    const retention = { claimsPerConfiguration: 200, maxAgeMs: 3_600_000 };
    await backstage.store.transaction((tx) => tx.insertLoginAttempt(attempt, claims, retention));
    await backstage.close();

    const rule = ['--claims-expression', 'claims.level > 3'];
    const preview = await run(['sso', 'preview', ssoConfigurationId, ...rule]);
    expect(preview.exitCode).toBe(7);
    expect(preview.stdout).toContain('1 would be shut out:');
    expect(preview.stdout).toContain('a***@example.com');
    expect(preview.stdout).toContain('no such claim: level');
    expect(preview.stdout).not.toContain('ada');

    const harmless = ['--claims-expression', 'claims.email_verified'];
    expect(await run(['sso', 'preview', ssoConfigurationId, ...harmless])).toMatchObject({
      exitCode: 0,
    });
    const update = ['sso', 'update', ssoConfigurationId, '--preview', 'enforce'];
    const refused = await run([...update, ...rule]);
    expect(refused.exitCode).toBe(5);
    expect(refused.stderr).toContain('would shut out a***@example.com');
    expect(await run([...update, ...harmless])).toMatchObject({ exitCode: 0 });
  });
});

test('claimgate sso test-login prints where to go', async () => {
  const { exitCode, stdout } = await run(['sso', 'test-login', ssoConfigurationId]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/login\/test\/[\w-]{43}\n$/);
});
