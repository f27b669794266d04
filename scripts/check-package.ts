/**
 * Owns the proof that what we publish works for who installs it: packs it, installs the tarball in an empty folder,
 * starts it there, and calls it by the command and by the client.
 */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const TOKEN = 'operator-token-of-the-package-check';
const folder = mkdtempSync(join(tmpdir(), 'claimgate-package-'));
let server: ChildProcess | undefined;
try {
  const tarball = pack();
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
  process.stdout.write('The package installs, starts and answers.\n');
} finally {
  server?.kill('SIGTERM');
  if (server !== undefined && server.exitCode === null)
    await new Promise((done) => server?.once('exit', done));
  rmSync(folder, { recursive: true, force: true });
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
