/**
 * Owns the run of Schemathesis against a real server: requests made of what `/openapi.json` says, wrong ones among them. An
 * answer that the document does not describe fails, and so does a failing of the server. It refuses to know the API.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';

import { createClaimgateClient } from '../src/client/node.ts';
import { startClaimgate } from '../test/support/start-claimgate.ts';
import type { StartedClaimgate } from '../test/support/start-claimgate.ts';
import { startDnsServer } from '../test/support/start-dns-server.ts';

const ROOT = join(import.meta.dirname, '..');
/** Ignored by Git; what is in it can be deleted. */
const FOLDER = join(ROOT, '.generate', 'openapi');
const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];
/** Of each operation, besides those at the edges of its schema. */
const RANDOM_REQUESTS = 40;

const schemathesis = install();
const dns = await startDnsServer();
const claimgate = await startClaimgate({ CLAIMGATE_DNS_SERVERS: dns.address });
try {
  process.exitCode = await run(
    claimgate,
    await addThings(claimgate, 1),
    await addThings(claimgate, 2),
  );
} finally {
  await claimgate.stop();
  await dns.stop();
}

/** In a folder of its own, anew where the requirements have changed; returns the program's path. */
function install(): string {
  const venv = join(FOLDER, 'venv');
  const mark = join(venv, 'requirements.txt');
  const wanted = readFileSync(REQUIREMENTS, 'utf8');
  if (!existsSync(mark) || readFileSync(mark, 'utf8') !== wanted) {
    print('Installing Schemathesis …');
    rmSync(venv, { recursive: true, force: true });
    mkdirSync(FOLDER, { recursive: true });
    runOrFail('python3', ['-m', 'venv', venv]);
    runOrFail(join(venv, 'bin', 'pip'), ['install', '--quiet', '--requirement', REQUIREMENTS]);
    writeFileSync(mark, wanted);
  }
  return join(venv, 'bin', 'schemathesis');
}

/** Ids of things, by the names of the fields that hold them. */
type Ids = Readonly<Record<string, string>>;

/** Adds one of each thing that requests can be about, as the n-th. */
async function addThings({ url, token }: StartedClaimgate, n: number): Promise<Ids> {
  const { organizations, users, identity } = createClaimgateClient({ baseUrl: url, token });
  const { organizationId } = await identity.getAuthenticatedIdentity({});
  const { user } = await users.getAuthenticatedUser({});
  const userId = user?.id ?? '';
  const { ssoConfiguration } = await organizations.createSSOConfiguration({
    organizationId,
    clientId: `client-${n}`,
    clientSecret: 'secret',
    issuerUrl: 'https://idp.invalid',
    emailDomains: ['example.com'],
  });
  const { domainVerification } = await organizations.createDomainVerification({
    organizationId,
    domain: `d${n}.example`,
  });
  const description = `token ${n}`;
  await users.createPersonalAccessToken({ userId, description });
  const { personalAccessTokens } = await users.listPersonalAccessTokens({
    filter: { userIds: [userId] },
  });
  const personalAccessToken = personalAccessTokens.find((row) => row.description === description);
  return {
    organizationId,
    userId,
    ssoConfigurationId: ssoConfiguration?.id ?? '',
    domainVerificationId: domainVerification?.id ?? '',
    personalAccessTokenId: personalAccessToken?.id ?? '',
  };
}

async function run({ url, token }: StartedClaimgate, ids: Ids, idsToDelete: Ids): Promise<number> {
  const report = join(FOLDER, 'report.json');
  const child = spawn(
    schemathesis,
    [
      ['run', `${url}/openapi.json`, '--checks', CHECKS.join()],
      ['--header', `Authorization: Bearer ${token}`, '--request-timeout', '30'],
      ['--phases', 'examples,coverage,fuzzing', '--max-examples', String(RANDOM_REQUESTS)],
      ['--seed', '1', '--generation-deterministic'],
      ['--warnings', 'off', '--no-color', '--report-json-path', report],
    ].flat(),
    {
      cwd: FOLDER,
      env: {
        ...process.env,
        CLAIMGATE_IDS: JSON.stringify(ids),
        CLAIMGATE_IDS_TO_DELETE: JSON.stringify(idsToDelete),
        SCHEMATHESIS_HOOKS: join(import.meta.dirname, 'hooks.py'),
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  const [code]: unknown[] = await once(child, 'exit');
  if (code !== 0) return 1;
  writeCounts(report);
  return 0;
}

/** Leaves what was tried in a file for who writes the compatibility table. */
function writeCounts(path: string): void {
  const report: Report = JSON.parse(readFileSync(path, 'utf8'));
  const accepted = Object.values(report.valid_rates)
    .flatMap((phases) => Object.values(phases))
    .reduce((sum, phase) => sum + phase.accepted, 0);
  const counts = {
    tool: `Schemathesis ${report.schemathesis_version}`,
    operations: report.operations.tested,
    requests: report.test_cases.generated,
  };
  writeFileSync(join(FOLDER, 'counts.json'), `${JSON.stringify(counts, undefined, 2)}\n`);
  print(
    `${counts.requests} requests to ${counts.operations} operations, ${accepted} of those that the document allows were accepted.`,
  );
}

/** What of Schemathesis's report we read. */
interface Report {
  readonly schemathesis_version: string;
  readonly operations: { readonly tested: number };
  readonly test_cases: { readonly generated: number };
  /** By operation, then by phase. */
  readonly valid_rates: Readonly<
    Record<string, Readonly<Record<string, { readonly accepted: number }>>>
  >;
}

function runOrFail(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (status === 0) return;
  process.stderr.write(`test:openapi: ${command} failed${error ? `: ${error.message}` : ''}.\n`);
  process.exit(1);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
