import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';

import { describe, expect, test } from 'vitest';

import { ClaimgateError } from '../../src/client/node.ts';
import type { ClaimgateErrorCode } from '../../src/client/node.ts';
import { createCliContext } from '../../src/cli/cli-context.ts';
import { confirm } from '../../src/cli/confirm.ts';
import { describeFailure } from '../../src/cli/describe-failure.ts';
import { chooseExitCode, EXIT_CODES } from '../../src/cli/exit-codes.ts';
import { createConfigurations, startInMemoryServer, TOKEN } from '../client/in-memory-services.ts';
import { runClaimgate, runInProcess, spawnClaimgate } from './run-claimgate.ts';

test.each<[ClaimgateErrorCode, number]>([
  ['unauthenticated', 3],
  ['permission_denied', 3],
  ['not_found', 4],
  ['invalid_argument', 5],
  ['already_exists', 5],
  ['failed_precondition', 5],
  ['out_of_range', 5],
  ['unavailable', 6],
  ['deadline_exceeded', 6],
  ['internal', 1],
  ['resource_exhausted', 1],
  ['unimplemented', 1],
])('A call that fails with %s ends with %i', (code, exitCode) => {
  expect(chooseExitCode(new ClaimgateError(code, ''))).toBe(exitCode);
});

describe('Wrong usage ends with 2, and says what to do', () => {
  const env = { CLAIMGATE_TOKEN: TOKEN };
  test.each([
    { args: ['sso', 'nope'], says: 'unknown command' },
    { args: ['sso', 'get'], says: "missing required argument 'id'" },
    { args: ['sso', 'list', '--limit', '0'], says: 'whole number above 0' },
    { args: ['sso', 'list', '--url', 'ftp://sso.example.com'], says: '--url or CLAIMGATE_URL' },
    { args: ['sso', 'update', 'an-id'], says: 'Nothing to change' },
    { args: ['sso', 'update', 'an-id', '--scope', 'a', '--clear-scopes'], says: 'cannot be used' },
    { args: ['sso', 'update', 'an-id', '--claim', 'email'], says: 'ATTRIBUTE=CLAIM' },
    {
      args: ['sso', 'update', 'an-id', '--claim', 'email=mail', '--clear-claim', 'email'],
      says: 'both name email',
    },
    {
      args: ['sso', 'create', '--issuer-url', 'https://idp.example.com', '--client-id', 'a'],
      says: '--client-secret-file',
    },
    {
      args: ['sso', 'update', 'an-id', '--client-secret-file', '-', '--token-file', '-'],
      says: 'both the client secret and the token',
    },
    {
      args: ['sso', 'update', 'an-id', '--client-secret-file', '/nonexistent/secret'],
      says: 'Cannot read the client secret',
    },
    { args: ['token', 'create', '--valid-for', 'a month'], says: '30d' },
    { args: ['org', 'set-role', 'an-id', 'owner'], says: 'admin, member' },
  ])('$args', async ({ args, says }) => {
    const finished = await runInProcess(args, { env, stdin: 'value' });
    expect(finished).toMatchObject({ exitCode: 2, stdout: '' });
    expect(finished.stderr).toContain(says);
    expect(finished.stderr).toContain('--help');
  });
});

test('No secret is taken from the arguments, nor repeated', async () => {
  const secret = 'canary-secret-7f3a';
  for (const args of [
    ['sso', 'create', '--client-secret', secret],
    ['sso', 'create', `--client-secret=${secret}`],
    ['sso', 'update', 'an-id', '--client-secret', secret],
    ['sso', 'update', 'an-id', '--client-secret'],
    ['sso', 'list', `--token=${secret}`],
    ['sso', 'list', '--token', secret],
  ]) {
    const { exitCode, stdout, stderr } = await runInProcess(args);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('-file');
    expect(stdout + stderr).not.toContain(secret);
  }
});

test('Without a token it ends with 3 before anything is sent, and says where to put one', async () => {
  const finished = await runClaimgate(['sso', 'list'], {
    env: { CLAIMGATE_URL: 'http://127.0.0.1:9' },
  });
  expect(finished.exitCode).toBe(3);
  expect(finished.stderr).toContain('CLAIMGATE_TOKEN');
});

test('A server that is not there, or takes too long, ends with 6', async () => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { port } = silent.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const env = { CLAIMGATE_URL: url, CLAIMGATE_TOKEN: TOKEN };
  try {
    const slow = await runClaimgate(['org', 'get', '--timeout', '0.2'], { env });
    expect(slow.exitCode).toBe(6);
    expect(slow.stderr).toContain('--timeout');
  } finally {
    silent.closeAllConnections();
    await new Promise((resolve) => silent.close(resolve));
  }
  const absent = await runClaimgate(['org', 'get'], { env });
  expect(absent.exitCode).toBe(6);
  expect(absent.stderr).toContain('claimgate serve');
});

test('A reader that closes the pipe ends a long list quietly', async () => {
  const server = await startInMemoryServer({ configurations: createConfigurations(2000) });
  try {
    const env = { CLAIMGATE_URL: server.url, CLAIMGATE_TOKEN: TOKEN };
    const child = spawnClaimgate(['sso', 'list', '--json'], { env });
    const stderr = text(child.stderr);
    child.stdout.once('data', () => child.stdout.destroy());
    const exitCode = await new Promise((resolve) => child.once('close', resolve));
    expect({ exitCode, stderr: await stderr }).toEqual({ exitCode: 0, stderr: '' });
  } finally {
    await server.stop();
  }
});

test('A long list arrives whole, in columns', async () => {
  const configurations = createConfigurations(250);
  const server = await startInMemoryServer({ configurations });
  try {
    const env = { CLAIMGATE_URL: server.url, CLAIMGATE_TOKEN: TOKEN };
    const { stdout } = await runClaimgate(['sso', 'list'], { env });
    const [titles = '', ...lines] = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.split(' ')[0])).toEqual(configurations.map(({ id }) => id));
    const column = titles.indexOf('ISSUER');
    expect(new Set(lines.map((line) => line.slice(column, column + 8)))).toEqual(
      new Set(['https://']),
    );
  } finally {
    await server.stop();
  }
});

test('A failure is told by field, with the time to wait, and cannot steer the terminal', () => {
  const error = new ClaimgateError('invalid_argument', 'ignored \u{1b}[2J', {
    violations: [{ field: 'email_domains[1]', rule: 'string.pattern', message: 'bad \u{9b}31m' }],
    retryAfterMs: 1200,
    requestId: 'request-1',
  });
  expect(describeFailure(error).split('\n').slice(0, 3)).toEqual([
    'claimgate: invalid argument: These values are refused:',
    '  email_domains[1]: bad \\u009b31m (string.pattern)',
    'Try again in 2 s.',
  ]);
  expect(describeFailure(error)).toContain('Request request-1');
  expect(describeFailure(new ClaimgateError('not_found', '\u{1b}[2J'))).not.toContain('\u{1b}');
});

describe('On a terminal, what cannot be undone is asked first', () => {
  test.each([
    { answer: 'y\n', outcome: 'done' },
    { answer: 'YES\n', outcome: 'done' },
    { answer: 'n\n', outcome: 1 },
    { answer: '\n', outcome: 1 },
    { answer: 'yesterday\n', outcome: 1 },
    { answer: '', outcome: 1 },
  ])('the answer $answer means $outcome', async ({ answer, outcome }) => {
    const stdin = Object.assign(new PassThrough(), { isTTY: true });
    const stderr = new PassThrough();
    const context = createCliContext({ env: {}, stdin, stdout: new PassThrough(), stderr });
    const asked = confirm(context, {}, 'Delete it?').then(() => 'done', chooseExitCode);
    stdin.end(answer);
    expect(await asked).toBe(outcome);
    stderr.end();
    expect(await text(stderr)).toContain('Delete it? This cannot be undone. [y/N]');
  });
});

test('The help tells every exit code', async () => {
  const { exitCode, stdout } = await runClaimgate(['--help']);
  expect(exitCode).toBe(0);
  for (const { code, meaning } of EXIT_CODES) expect(stdout).toContain(`  ${code}  ${meaning}`);
});
