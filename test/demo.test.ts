import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

import { runClaimgate } from './cli/run-claimgate.ts';
import { createWebClient } from './support/create-web-client.ts';
import type { WebAnswer } from './support/create-web-client.ts';
import { signInAtOidcProvider } from './support/sign-in-at-oidc-provider.ts';

const SCRIPT = fileURLToPath(new URL('../scripts/demo.ts', import.meta.url));

/** Where other tools keep what makes the next run faster. */
const COMPILE_CACHE = fileURLToPath(
  new URL('../node_modules/.cache/claimgate-demo', import.meta.url),
);

interface RunningDemo {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly closed: Promise<unknown>;
  /** All that was printed so far. */
  readonly read: () => { stdout: string; stderr: string };
  /** Waits until it has printed this, and fails when it ends without. */
  readonly waitFor: (pattern: RegExp) => Promise<RegExpExecArray>;
}

/** Ends with the test. */
function runDemo(args: readonly string[], env: Record<string, string> = {}): RunningDemo {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', SCRIPT, ...args],
    {
      env: { TZ: 'Europe/Berlin', NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const closed = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  const printed = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed.stderr += text));
  return {
    child,
    closed,
    read: () => printed,
    async waitFor(pattern) {
      for (;;) {
        const found = pattern.exec(printed.stdout);
        if (found !== null) return found;
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`It ended without printing ${String(pattern)}:\n${printed.stderr}`);
        await Promise.race([once(child.stdout, 'data'), closed]);
      }
    },
  };
}

/** Ends with the test. */
async function createFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'claimgate-demo-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Does what the demo says to do, up to where the browser ends. */
async function signIn(url: string, name: string): Promise<WebAnswer> {
  const browser = createWebClient(url);
  const asked = await browser.open(`/login?email=${name}@example.com`);
  const started = await browser.open(asked.location);
  const callback = await signInAtOidcProvider(started.location, name);
  const answer = await browser.open(callback);
  return answer.status === 303 ? browser.open('/session') : answer;
}

test('The demo lets Alice in and tells why Bob and Mallory are refused; a wider rule lets Bob in; Ctrl-C leaves nothing behind', async () => {
  const folder = await createFolder();
  const demo = runDemo(['--port', '0'], { TMPDIR: folder });
  const [, url = ''] = await demo.waitFor(/demo runs at (http:\/\/localhost:\d+)/);
  await demo.waitFor(/Sign-ins, as they happen/);

  const alice = await signIn(url, 'alice');
  expect(JSON.parse(alice.text)).toMatchObject({
    user: { name: 'Alice Example', email: 'alice@example.com', role: 'member' },
  });
  await demo.waitFor(/^\d\d:\d\d:\d\d {2}admitted {2}a\*{3}@example\.com$/m);

  for (const name of ['bob', 'mallory']) {
    const refused = await signIn(url, name);
    expect(refused.status).toBe(403);
    expect(refused.text).toContain('You cannot sign in here');
    const [, attemptId] = /<code>([\w-]{36})<\/code>/.exec(refused.text) ?? [];
    const told = await demo.waitFor(
      new RegExp(String.raw`^.*refused {3}${name.charAt(0)}\*{3}@example\.com .*$`, 'm'),
    );
    expect(told[0]).toContain('policy/rule_refused: ');
    expect(told[0]).toContain(attemptId);
  }

  const [, base = '', token = ''] =
    /export CLAIMGATE_URL=(\S+) CLAIMGATE_TOKEN=(\S+)/.exec(demo.read().stdout) ?? [];
  const [, configurationId = '', wider = ''] =
    /npm run -s claimgate -- sso update (\S+) --claims-expression '([^']+)'/.exec(
      demo.read().stdout,
    ) ?? [];
  const env = { CLAIMGATE_URL: base, CLAIMGATE_TOKEN: token };
  const changed = await runClaimgate(
    ['sso', 'update', configurationId, '--claims-expression', wider],
    { env },
  );
  expect(changed).toMatchObject({ exitCode: 0, stderr: '' });
  expect((await signIn(url, 'bob')).status).toBe(200);
  expect((await signIn(url, 'mallory')).status).toBe(403);

  const [, organizationId = ''] =
    /npm run -s claimgate -- login attempts --organization (\S+)/.exec(demo.read().stdout) ?? [];
  const attempts = await runClaimgate(
    ['login', 'attempts', '--organization', organizationId, '--outcome', 'refused'],
    { env },
  );
  expect(attempts.stdout).toContain('b***@example.com');

  const [, service = '', body = ''] =
    /curl -sS \$CLAIMGATE_URL(\S+) .* -d '(.*)'$/m.exec(demo.read().stdout) ?? [];
  const listed = await fetch(`${base}${service}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body,
  });
  expect(await listed.json()).toMatchObject({
    loginAttempts: [
      { maskedEmail: 'm***@example.com', reason: 'rule_refused' },
      { maskedEmail: 'b***@example.com', outcome: 'LOGIN_OUTCOME_ADMITTED' },
      { maskedEmail: 'm***@example.com', reason: 'rule_refused' },
      { maskedEmail: 'b***@example.com', reason: 'rule_refused' },
      { maskedEmail: 'a***@example.com', outcome: 'LOGIN_OUTCOME_ADMITTED' },
    ],
  });

  // npm and the terminal each send it.
  demo.child.kill('SIGINT');
  demo.child.kill('SIGINT');
  await demo.closed;
  expect(demo.child.exitCode).toBe(0);
  expect(demo.read().stderr).toBe('');
  expect(await readdir(folder)).toEqual([]);
  await expect(fetch(url)).rejects.toThrow('fetch failed');
});

test('With --keep the data stays in the folder, and a folder that holds something is refused', async () => {
  const folder = join(await createFolder(), 'kept');
  const demo = runDemo(['--port', '0', '--keep', folder]);
  await demo.waitFor(/Sign-ins, as they happen/);
  demo.child.kill('SIGTERM');
  await demo.closed;
  expect(demo.child.exitCode).toBe(0);
  expect(await readdir(folder)).toEqual(expect.arrayContaining(['claimgate.db', 'claimgate.key']));

  await writeFile(join(folder, 'precious'), '');
  const second = runDemo(['--port', '0', '--keep', folder]);
  await second.closed;
  expect(second.child.exitCode).toBe(1);
  expect(second.read().stderr).toContain('is not empty');
});

test('A port that is named and taken is refused, and leaves nothing behind', async () => {
  const folder = await createFolder();
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await once(other, 'listening');
  const address = other.address();
  const port = String(typeof address === 'object' ? address?.port : '');
  const demo = runDemo(['--port', port], { TMPDIR: folder });
  await demo.closed;
  expect(demo.child.exitCode).toBe(1);
  expect(demo.read().stderr).toBe(
    `demo: Another program has port ${port}. Name another one, or none.\n`,
  );
  expect(await readdir(folder)).toEqual([]);
});

test('--help tells the options, and an unknown one is refused with 2', async () => {
  const help = runDemo(['--help']);
  const unknown = runDemo(['--prot', '1']);
  await Promise.all([help.closed, unknown.closed]);
  expect(help.child.exitCode).toBe(0);
  expect(help.read().stdout).toMatch(/--port.*--keep.*--help/s);
  expect(unknown.child.exitCode).toBe(2);
  expect(unknown.read().stderr).toContain("'--prot'");
});
