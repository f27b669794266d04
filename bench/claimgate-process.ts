/** Owns the server under test: the real program in a process of its own, with everything on. */
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';

import { startScript, waitForOutput } from './child-script.ts';
import type { Cores, Machine } from './machine.ts';
import { readPort } from './read-port.ts';
import { stopChild } from './scratch.ts';

export const ORGANIZATION_SERVICE = 'gitpod.v1.OrganizationService';
export const OPERATOR_TOKEN = 'operator-token-of-the-benchmark';
/** As `npm start` runs it. */
export const SOURCE_ENTRY = 'src/cli/claimgate.ts';

export interface ClaimgateProcess {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Empty unless this was the database's first start. */
  readonly organizationId: string;
  readonly stop: () => Promise<void>;
}

export interface ClaimgateOptions {
  /** Holds the database and its key. */
  readonly folder: string;
  readonly cores?: Cores;
  readonly env?: Readonly<Record<string, string>>;
  readonly entry?: string;
}

export async function startClaimgate(
  machine: Machine,
  options: ClaimgateOptions,
): Promise<ClaimgateProcess> {
  const { child } = launchClaimgate(machine, { ...options, port: 0 });
  const [, url = '', rest = ''] = await waitForOutput(child, /listens at (\S+)\n([^]*)/);
  const [, organizationId = ''] = /"Default organization" \(([^)]+)\)/.exec(rest) ?? [];
  return {
    url,
    port: Number(new URL(url).port),
    pid: child.pid ?? 0,
    organizationId,
    stop: () => stopChild(child),
  };
}

/** Does not wait for anything. */
export function launchClaimgate(
  machine: Machine,
  {
    folder,
    cores = 'server',
    env,
    entry = SOURCE_ENTRY,
    port,
  }: ClaimgateOptions & { port: number },
) {
  const child = startScript(machine, ['--max-semi-space-size=8', entry, 'serve'], {
    cores,
    env: {
      CLAIMGATE_PORT: String(port),
      CLAIMGATE_DATABASE_URL: `sqlite:${join(folder, 'claimgate.db')}`,
      CLAIMGATE_BOOTSTRAP_TOKEN: OPERATOR_TOKEN,
      // Calls are told at a level that is off by default as well; this keeps starts and stops out of the progress.
      CLAIMGATE_LOG_LEVEL: 'warn',
      ...env,
    },
  });
  return { child };
}

/** Calls an RPC as the operator. Fails unless it succeeds. Not for timing. */
export async function callJson(
  url: string,
  method: string,
  request: object,
): Promise<{ readonly text: string; readonly value: unknown }> {
  const response = await fetch(`${url}/${ORGANIZATION_SERVICE}/${method}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${OPERATOR_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} answered ${response.status}: ${text}`);
  return { text, value: JSON.parse(text) };
}

const createdConfiguration = z.object({ ssoConfiguration: z.object({ id: z.string() }) });

/** A configuration as a customer may have it. Resolves to its id. */
export async function createConfiguration(
  { url, organizationId }: ClaimgateProcess,
  given: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { value } = await callJson(url, 'CreateSSOConfiguration', {
    organizationId,
    clientId: '0oa8k2v7wqXyZ4nB5d7',
    clientSecret: 'secret-of-the-benchmark',
    issuerUrl: 'https://login.acme.example/oauth2/default',
    displayName: 'Acme workforce',
    emailDomains: ['acme.example', 'acme-labs.example'],
    additionalScopes: ['groups'],
    claimsExpression: 'claims.email_verified && claims.email.endsWith("@acme.example")',
    ...given,
  });
  return createdConfiguration.parse(value).ssoConfiguration.id;
}

/** A port that nothing listened at a moment ago. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = readPort(server);
  server.close();
  await once(server, 'close');
  return port;
}
