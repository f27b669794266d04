// What a power cut and an orderly stop leave behind: the real process, ended while clients write.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { createApi, PROTOCOLS } from '../support/create-api.ts';
import type { Api } from '../support/create-api.ts';
import { startProcess } from '../support/start-process.ts';
import type { StartedProcess } from '../support/start-process.ts';

/** In milliseconds: starting processes is slow on a busy machine. */
const PATIENCE = 90_000;

const token = `operator-${randomBytes(16).toString('hex')}`;

let folder: string;
let environment: Record<string, string>;
const running = new Set<StartedProcess>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claimgate-kill-'));
});

afterAll(async () => {
  for (const server of running) await server.end('SIGKILL');
  await rm(folder, { recursive: true });
});

async function start(name: string, workers = 1): Promise<StartedProcess> {
  environment = {
    CLAIMGATE_DATABASE_URL: `sqlite:${join(folder, name, 'claimgate.db')}`,
    CLAIMGATE_BOOTSTRAP_TOKEN: token,
    CLAIMGATE_WORKERS: String(workers),
  };
  const server = await startProcess(environment);
  running.add(server);
  return server;
}

/** A promise that is kept when so much has happened. */
function countTo(target: number): { note: () => void; reached: Promise<void> } {
  let count = 0;
  let reach = () => {};
  const reached = new Promise<void>((resolve) => (reach = resolve));
  return { note: () => void (++count === target && reach()), reached };
}

/** What the clients were told. A value that was sent and not acknowledged may be there or not. */
interface Ledger {
  readonly present: Map<string, { acknowledged: number; sent: number }>;
  readonly deleted: Set<string>;
  /** Deletes that were sent and not acknowledged. */
  readonly unsure: Set<string>;
}

/** Creates, updates and deletes, each time something else, until a call fails. */
async function writeUntilCut(
  { organizations }: Api,
  organizationId: string,
  ledger: Ledger,
  note: () => void,
): Promise<void> {
  try {
    for (;;) {
      const clientId = randomBytes(8).toString('hex');
      const { ssoConfiguration } = await organizations.createSSOConfiguration({
        organizationId,
        clientId,
        clientSecret: 'hush',
        issuerUrl: 'https://idp.example.com',
        displayName: '0',
      });
      const ssoConfigurationId = ssoConfiguration?.id ?? '';
      const entry = { acknowledged: 0, sent: 0 };
      ledger.present.set(ssoConfigurationId, entry);
      note();
      for (let value = 1; value <= 3; value++) {
        entry.sent = value;
        await organizations.updateSSOConfiguration({ ssoConfigurationId, displayName: `${value}` });
        entry.acknowledged = value;
        note();
      }
      if (randomBytes(1).readUInt8() % 3 > 0) continue;
      ledger.unsure.add(ssoConfigurationId);
      await organizations.deleteSSOConfiguration({ ssoConfigurationId });
      ledger.deleted.add(ssoConfigurationId);
      note();
    }
  } catch (reason) {
    expect(ConnectError.from(reason).code).not.toBe(Code.Internal);
  }
}

async function readNames(api: Api, organizationId: string): Promise<Map<string, number>> {
  const names = new Map<string, number>();
  for (let pageToken = ''; ;) {
    const page = await api.organizations.listSSOConfigurations({
      organizationId,
      pagination: { pageSize: 100, token: pageToken },
    });
    for (const { id, displayName } of page.ssoConfigurations) names.set(id, Number(displayName));
    pageToken = page.pagination?.nextToken ?? '';
    if (pageToken === '') return names;
  }
}

function checkIntegrity(file: string): unknown {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return database.prepare('PRAGMA integrity_check').all();
  } finally {
    database.close();
  }
}

/** Compares what is there with what clients were told, and keeps what is there. */
function settle({ present, deleted, unsure }: Ledger, names: ReadonlyMap<string, number>): void {
  for (const [id, { acknowledged, sent }] of present) {
    const value = names.get(id);
    if (deleted.has(id) || (unsure.has(id) && value === undefined)) {
      expect([id, value]).toEqual([id, undefined]);
      present.delete(id);
    } else {
      expect(value).toBeGreaterThanOrEqual(acknowledged);
      expect(value).toBeLessThanOrEqual(sent);
    }
  }
}

test(
  'SIGKILL while clients write, again and again: what was acknowledged is there',
  async () => {
    const ledger: Ledger = { present: new Map(), deleted: new Set(), unsure: new Set() };
    for (let round = 0; ; round++) {
      const server = await start('killed');
      const api = createApi(server.url, `Bearer ${token}`);
      const { organizationId } = await api.identity.getAuthenticatedIdentity({});
      settle(ledger, await readNames(api, organizationId));
      if (round === 3) break;

      const { note, reached } = countTo(40 + 17 * round);
      const clients = [...PROTOCOLS, ...PROTOCOLS].map((protocol) => {
        const writer = createApi(server.url, `Bearer ${token}`, protocol);
        return writeUntilCut(writer, organizationId, ledger, note);
      });
      await reached;
      await server.end('SIGKILL');
      running.delete(server);
      await Promise.all(clients);
      expect(checkIntegrity(join(folder, 'killed', 'claimgate.db'))).toEqual([
        { integrity_check: 'ok' },
      ]);
    }
    expect(ledger.deleted.size).toBeGreaterThan(0);
    expect(ledger.present.size).toBeGreaterThan(10);
  },
  PATIENCE,
);

type Call = () => Promise<void>;

/** HTTP/1.1 on one connection that is kept open. Fails with the system's error when there is no connection. */
function createKeepAliveCall(
  url: string,
  rpc: string,
  body: object,
): { call: Call; close: () => void } {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const call: Call = () =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
      const outgoing = request(`${url}/gitpod.v1.${rpc}`, { method: 'POST', agent, headers });
      outgoing.once('error', reject);
      outgoing.once('response', (response) => {
        const { statusCode } = response;
        const read = async () => {
          const answer = await text(response);
          if (statusCode !== 200) throw new Error(`${statusCode} ${answer}`);
        };
        read().then(resolve, reject);
      });
      outgoing.end(JSON.stringify(body));
    });
  return { call, close: () => agent.destroy() };
}

/**
 * Whether the call was never accepted: no connection could be made, or the server said that it has not begun with the
 * stream (RFC 9113 §8.7), which a client that is slow to notice the end may get.
 */
function isRefused(reason: unknown): boolean {
  if (String(reason).includes('NGHTTP2_REFUSED_STREAM')) return true;
  for (let error = reason; error instanceof Error; error = error.cause) {
    if ('code' in error && error.code === 'ECONNREFUSED') return true;
  }
  return false;
}

test.each([1, 2])(
  'SIGTERM while clients call, to %i workers: every call that was accepted is answered, and the exit code is 0',
  async (workers) => {
    for (let round = 0; round < 2; round++) {
      const name = `stopped-${workers}-${round}`;
      const server = await start(name, workers);
      const api = createApi(server.url, `Bearer ${token}`);
      const { organizationId } = await api.identity.getAuthenticatedIdentity({});
      const ids = await Promise.all(
        Array.from({ length: 6 }, async (_, index) => {
          const { ssoConfiguration } = await api.organizations.createSSOConfiguration({
            organizationId,
            clientId: `client-${index}`,
            clientSecret: 'hush',
            issuerUrl: 'https://idp.example.com',
          });
          return ssoConfiguration?.id ?? '';
        }),
      );
      const { note, reached } = countTo(200);
      const failures: unknown[] = [];
      const loop = async (call: Call) => {
        for (;;) {
          try {
            await call();
            note();
          } catch (reason) {
            if (!isRefused(reason)) failures.push(reason);
            return;
          }
        }
      };
      const keepAlive = ids.flatMap((ssoConfigurationId, index) => [
        createKeepAliveCall(server.url, 'OrganizationService/GetSSOConfiguration', {
          ssoConfigurationId,
        }),
        createKeepAliveCall(server.url, 'OrganizationService/UpdateSSOConfiguration', {
          ssoConfigurationId,
          displayName: `${index}`,
        }),
      ]);
      const grpc = createApi(server.url, `Bearer ${token}`, 'grpc').organizations;
      const grpcWeb = createApi(server.url, `Bearer ${token}`, 'grpc-web').organizations;
      const multiplexed = ids.flatMap((ssoConfigurationId): Call[] => [
        async () => void (await grpc.getSSOConfiguration({ ssoConfigurationId })),
        async () =>
          void (await grpc.updateSSOConfiguration({ ssoConfigurationId, claims: { a: 'b' } })),
        async () => void (await grpcWeb.getSSOConfiguration({ ssoConfigurationId })),
      ]);
      const loops = [...keepAlive.map(({ call }) => call), ...multiplexed].map(loop);
      await reached;
      const { exitCode, log, tookMs } = await server.end('SIGTERM');
      running.delete(server);
      await Promise.all(loops);
      for (const { close } of keepAlive) close();
      expect(failures.map(String)).toEqual([]);
      expect([exitCode, log]).toEqual([0, '']);
      expect(tookMs).toBeLessThan(10_000);
      expect(checkIntegrity(join(folder, name, 'claimgate.db'))).toEqual([
        { integrity_check: 'ok' },
      ]);
    }
  },
  PATIENCE,
);
