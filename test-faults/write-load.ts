// Owns clients that write without pause, and the ledger of what they were told, which is compared with what is there.
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';

import { expect } from 'vitest';

import type { JsonAnswer } from '../test/support/call-json.ts';

export interface Ledger {
  /** Of each configuration: the last display name that was acknowledged, and the last that was sent. */
  readonly names: Map<string, { acknowledged: number; sent: number }>;
  acknowledged: number;
  refused: number;
}

export interface WriteLoad {
  readonly ledger: Ledger;
  /** Resolves when so many more writes have been acknowledged. */
  readonly reach: (more: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface WriteLoadOptions {
  readonly clients: number;
  readonly organizationId: string;
  /** Resolves to nothing when there was no answer. Fails when there was one that must not be. */
  readonly send: (rpc: string, body: object) => Promise<JsonAnswer | undefined>;
}

/** Before a client that was refused tries again, in milliseconds. */
const PAUSE = 20;

/** Creates and updates from several clients, each waiting for its answers. */
export function startWriteLoad({ clients, organizationId, send }: WriteLoadOptions): WriteLoad {
  const ledger: Ledger = { names: new Map(), acknowledged: 0, refused: 0 };
  const stopping = new AbortController();
  const note = (answer: JsonAnswer | undefined): answer is JsonAnswer => {
    const isAcknowledged = answer?.status === 200;
    if (isAcknowledged) ledger.acknowledged += 1;
    else ledger.refused += 1;
    return isAcknowledged;
  };
  const write = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const created = await send('OrganizationService/CreateSSOConfiguration', {
        organizationId,
        clientId: randomBytes(8).toString('hex'),
        clientSecret: 'hush',
        issuerUrl: 'https://idp.example.com',
        displayName: '0',
      });
      if (!note(created)) {
        await setTimeout(PAUSE);
        continue;
      }
      const ssoConfigurationId = readConfigurationId(created);
      const entry = { acknowledged: 0, sent: 0 };
      ledger.names.set(ssoConfigurationId, entry);
      for (let value = 1; value <= 3; value += 1) {
        entry.sent = value;
        const change = { ssoConfigurationId, displayName: String(value) };
        if (note(await send('OrganizationService/UpdateSSOConfiguration', change)))
          entry.acknowledged = value;
      }
    }
  };
  const running = Promise.all(Array.from({ length: clients }, write));
  return {
    ledger,
    async reach(more) {
      const goal = ledger.acknowledged + more;
      const isReached = async (): Promise<void> => {
        while (ledger.acknowledged < goal) await setTimeout(5);
      };
      await Promise.race([isReached(), running]);
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** Of all that the ledger says was acknowledged, nothing is missing, and nothing is there that was not sent. */
export function expectNothingLost({ names }: Ledger, stored: ReadonlyMap<string, number>): void {
  expect(names.size).toBeGreaterThan(20);
  for (const [id, { acknowledged, sent }] of names) {
    const value = stored.get(id);
    expect(value).toBeGreaterThanOrEqual(acknowledged);
    expect(value).toBeLessThanOrEqual(sent);
  }
}

/** The display names that are there, by the configuration's id. */
export async function readStoredNames({
  organizationId,
  call,
}: {
  readonly organizationId: string;
  readonly call: (rpc: string, body: object) => Promise<JsonAnswer>;
}): Promise<ReadonlyMap<string, number>> {
  const names = new Map<string, number>();
  for (let token = ''; ;) {
    const pagination = { pageSize: 100, token };
    const request = { organizationId, pagination };
    const { status, body } = await call('OrganizationService/ListSSOConfigurations', request);
    expect(status).toBe(200);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const page = body as unknown as ListAnswer;
    for (const { id, displayName } of page.ssoConfigurations) names.set(id, Number(displayName));
    token = page.pagination.nextToken;
    if (token === '') return names;
  }
}

interface ListAnswer {
  readonly ssoConfigurations: readonly { readonly id: string; readonly displayName: string }[];
  readonly pagination: { readonly nextToken: string };
}

function readConfigurationId({ body }: JsonAnswer): string {
  const made = body['ssoConfiguration'];
  return typeof made === 'object' && made !== null && 'id' in made ? String(made.id) : '';
}
