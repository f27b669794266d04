import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createClaimgateClient, listAll } from '../../src/client/node.ts';
import { startDnsServer } from '../support/start-dns-server.ts';
import type { StartedDnsServer } from '../support/start-dns-server.ts';
import { expectShown } from './compare-output.ts';
import { findExamples, readDocument, ROOT } from './read-examples.ts';
import { openShell, runProgram } from './run-examples.ts';
import type { Shell } from './run-examples.ts';

const EXAMPLES = findExamples(await readDocument('README.md'));
const SET_UP = EXAMPLES.filter(({ code }) => code.startsWith('npm ci'));
const SHELL = EXAMPLES.filter((example) => example.language === 'sh' && !SET_UP.includes(example));
const PROGRAM = EXAMPLES.filter(({ language }) => language === 'ts');

let server: StartedByNpm;
let dns: StartedDnsServer;
let shell: Shell;
let outputs: readonly string[];

beforeAll(async () => {
  dns = await startDnsServer();
  server = await startByNpm({ CLAIMGATE_DNS_SERVERS: dns.address });
  shell = await openShell();
});

afterAll(async () => {
  await shell.stop();
  await server.stop();
  await dns.stop();
});

/** What the reader puts in. */
function fillIn(code: string): string {
  return code
    .replaceAll('the token that the start printed', server.token)
    .replaceAll('http://127.0.0.1:8080', server.url);
}

test('The README names the two commands that are enough, word for word', () => {
  expect(SET_UP.map(({ code }) => code)).toEqual(['npm ci && npm start', 'npm ci && npm test']);
});

test('The request that the first start prints works as it is printed', async () => {
  const [curl = ''] = /^ {2}curl .*$/m.exec(server.printed) ?? [];
  expect(JSON.parse(await shell.run(curl))).toEqual({
    pagination: { nextToken: '' },
    ssoConfigurations: [],
  });
});

describe('The TypeScript examples of the README', () => {
  beforeAll(async () => {
    const blocks = PROGRAM.map(({ code }) => fillIn(code));
    outputs = await runProgram(blocks, { CLAIMGATE_TOKEN: server.token });
  }, 60_000);

  test.each(PROGRAM.map((example, index) => ({ ...example, index })))(
    'line $line works as it is written',
    ({ index, ...example }) => {
      expectShown(outputs[index] ?? 'nothing', example);
    },
  );
});

describe('The shell examples of the README', () => {
  test.each(SHELL)('line $line works as it is written', async (example) => {
    await publishChallenges();
    expectShown(await shell.run(fillIn(example.code)), example);
  });
});

/** What the reader does at the DNS provider. */
async function publishChallenges(): Promise<void> {
  const client = createClaimgateClient({ baseUrl: server.url, token: server.token });
  const { organizationId } = await client.identity.getAuthenticatedIdentity({});
  const pending = listAll(client.organizations.listDomainVerifications, { organizationId });
  for await (const { domain, verificationToken } of pending) {
    const text = `claimgate-verification=${verificationToken}`;
    dns.setTxt(`_claimgate-challenge.${domain}`, [text]);
  }
}

interface StartedByNpm {
  readonly url: string;
  readonly token: string;
  /** All that the start says. */
  readonly printed: string;
  readonly stop: () => Promise<void>;
}

/** Runs what `npm start` runs, without a token of our choice: it has to generate and print one. */
async function startByNpm(environment: Readonly<Record<string, string>>): Promise<StartedByNpm> {
  const folder = await mkdtemp(join(tmpdir(), 'claimgate-readme-'));
  const { scripts } = JSON.parse(await readFile(`${ROOT}package.json`, 'utf8')) as {
    scripts: Record<string, string>;
  };
  const [, ...args] = (scripts['start'] ?? '').split(' ');
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: {
      CLAIMGATE_PORT: '0',
      CLAIMGATE_DATABASE_URL: `sqlite:${join(folder, 'claimgate.db')}`,
      CLAIMGATE_LOG_LEVEL: 'silent',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  let printed = '';
  const chunks = child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false });
  for await (const chunk of chunks) {
    printed += String(chunk);
    if (/^ {2}curl .*\n/m.test(printed)) break;
  }
  child.stdout.resume();
  const [url = ''] = /http:\/\/127\.0\.0\.1:\d+/.exec(printed) ?? [];
  const [token = ''] = /cgpat_[0-9a-f]{48}/.exec(printed) ?? [];
  return {
    url,
    token,
    printed,
    async stop() {
      child.kill('SIGTERM');
      await closed;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
