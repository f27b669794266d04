/**
 * Owns the proof that what we publish works for who installs it: packs it, has it judged by publint and by Are the Types
 * Wrong, installs the tarball in an empty folder, starts it there, calls it by the command and by the client, and weighs
 * what a browser is sent of that.
 */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

import { measureBundle } from './measure-bundle.ts';

/** Behind a wildcard of `exports`, where no tool looks unless it is told to. */
const TYPED = './gen/gitpod/v1/organization_pb';
/** What a page that makes one call may weigh, minified and compressed with gzip. */
const PAGE_MAX_BYTES = 60_000;
const TOKEN = 'operator-token-of-the-package-check';
const folder = mkdtempSync(join(tmpdir(), 'claimgate-package-'));
let server: ChildProcess | undefined;
try {
  const tarball = pack();
  judge('publint', ['run', tarball, '--strict']);
  // Those who call by `require` get the same modules: Node 24 takes them.
  judge('attw', [tarball, '--profile', 'esm-only', '--include-entrypoints', TYPED, '--quiet']);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', tarball]);
  server = spawn(resolve(folder, 'node_modules/.bin/claimgate'), ['serve'], {
    cwd: folder,
    env: { ...process.env, CLAIMGATE_PORT: '0', CLAIMGATE_BOOTSTRAP_TOKEN: TOKEN },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await readUrl(server);
  const caller = { CLAIMGATE_URL: url, CLAIMGATE_TOKEN: TOKEN };
  const listed: unknown = JSON.parse(
    run('node_modules/.bin/claimgate', ['sso', 'list', '--json'], caller),
  );
  if (JSON.stringify(listed) !== '[]') throw new Error(`sso list gave ${JSON.stringify(listed)}`);
  writeFileSync(
    join(folder, 'call.js'),
    `import { createClaimgateClient } from 'claimgate/client';
import { OrganizationService } from 'claimgate/gen/gitpod/v1/organization_pb';
const client = createClaimgateClient({ baseUrl: process.env.CLAIMGATE_URL, token: process.env.CLAIMGATE_TOKEN });
const { organizationId } = await client.identity.getAuthenticatedIdentity({});
console.log(organizationId.length, OrganizationService.typeName);
`,
  );
  const called = run(process.execPath, ['call.js'], caller).trim();
  if (called !== '36 gitpod.v1.OrganizationService') throw new Error(`the client gave ${called}`);
  const page = await fetch(url, { headers: { accept: 'text/html' } });
  if (!(await page.text()).includes('claimgate-public-url')) throw new Error('there is no console');
  for (const path of ['openapi.json', 'docs', 'docs/style.css']) {
    const { status } = await fetch(`${url}/${path}`);
    if (status !== 200) throw new Error(`/${path} gave ${status}`);
  }
  const { gzip, brotli } = await measureBundle(folder);
  if (gzip >= PAGE_MAX_BYTES) throw new Error(`a page with one call has ${gzip} bytes in gzip`);
  process.stdout.write(`A page with one call: ${gzip} bytes in gzip, ${brotli} in brotli.\n`);
  process.stdout.write('The package installs, starts and answers.\n');
} finally {
  server?.kill('SIGTERM');
  if (server !== undefined && server.exitCode === null)
    await new Promise((done) => server?.once('exit', done));
  rmSync(folder, { recursive: true, force: true });
}

/** Runs a tool of ours; what it finds is printed, and ends the check. */
function judge(tool: string, args: readonly string[]): void {
  execFileSync(join(import.meta.dirname, '..', 'node_modules', '.bin', tool), args, {
    stdio: 'inherit',
  });
}

function pack(): string {
  const output = execFileSync(
    'npm',
    ['pack', '--json', '--loglevel=error', '--pack-destination', folder],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const [, name] = /"filename":\s*"([^"]+)"/.exec(output) ?? [];
  if (name === undefined) throw new Error(`npm pack named no file: ${output}`);
  return join(folder, name);
}

function run(
  command: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): string {
  return execFileSync(command, args, {
    cwd: folder,
    env: { ...process.env, ...environment },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function readUrl(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('no output to read');
  for await (const line of createInterface({ input: child.stdout })) {
    const [, url] = /listens at (\S+)/.exec(line) ?? [];
    if (url !== undefined) return url;
  }
  throw new Error('the server ended without saying where it listens');
}
