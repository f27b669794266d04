import { create } from '@bufbuild/protobuf';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { ListSSOConfigurationsResponseSchema } from '../../gen/gitpod/v1/organization_pb.ts';
import type {
  ListSSOConfigurationsResponse,
  SSOConfiguration,
} from '../../gen/gitpod/v1/organization_pb.ts';
import { listAll } from '../../src/client/list-all.ts';
import { createClaimgateClient } from '../../src/client/node.ts';
import type { ClosableClaimgateClient } from '../../src/client/node.ts';
import {
  createConfigurations,
  ORGANIZATION_ID,
  startInMemoryServer,
  TOKEN,
} from './in-memory-services.ts';
import type { InMemoryServer } from './in-memory-services.ts';

const configurations = createConfigurations(7);
const request = { organizationId: ORGANIZATION_ID };

describe('Over a server with seven configurations, listAll', () => {
  let server: InMemoryServer;
  let client: ClosableClaimgateClient;

  beforeAll(async () => {
    server = await startInMemoryServer({ configurations });
    client = createClaimgateClient({ baseUrl: server.url, token: TOKEN });
  });

  afterAll(async () => server.stop());

  test.each([
    { pageSize: 1, tokens: ['', '1', '2', '3', '4', '5', '6'] },
    { pageSize: 3, tokens: ['', '3', '6'] },
    { pageSize: 7, tokens: [''] },
    { pageSize: undefined, tokens: [''] },
  ])('gives each row once with pages of $pageSize', async ({ pageSize, tokens }) => {
    server.calls.length = 0;
    const rows: SSOConfiguration[] = [];
    const options = pageSize === undefined ? {} : { pageSize };
    for await (const row of listAll(client.organizations.listSSOConfigurations, request, options)) {
      rows.push(row);
    }
    expect(rows.map(({ id }) => id)).toEqual(configurations.map(({ id }) => id));
    expect(server.calls.map(({ token }) => token)).toEqual(tokens);
    expect(new Set(server.calls.map((call) => call.pageSize))).toEqual(new Set([pageSize ?? 100]));
  });

  test('fetches no page that nobody asks for', async () => {
    server.calls.length = 0;
    const list = listAll(client.organizations.listSSOConfigurations, request, { pageSize: 2 });
    for await (const row of list) if (row.id === configurations[2]?.id) break;
    expect(server.calls).toHaveLength(2);
  });

  test('stops between rows when its signal is aborted', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const list = listAll(client.organizations.listSSOConfigurations, request, { signal });
    expect((await list.next()).done).toBe(false);
    controller.abort();
    await expect(list.next()).rejects.toMatchObject({ name: 'ClaimgateError', code: 'canceled' });
  });

  test('throws what the call throws', async () => {
    const list = listAll(client.users.listPersonalAccessTokens, {});
    await expect(list.next()).rejects.toMatchObject({ code: 'unimplemented' });
  });
});

test('However rows are cut into pages, empty ones among them, all arrive in order', async () => {
  const cuts = fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(cuts, async (sizes) => {
      const rows = createConfigurations(sizes.reduce((sum, size) => sum + size, 0));
      const remaining = [...rows];
      const pages = sizes.map((size, index) =>
        respond(remaining.splice(0, size), index + 1 < sizes.length ? `page-${index + 1}` : ''),
      );
      const call = async (): Promise<ListSSOConfigurationsResponse> =>
        pages.shift() ?? respond([], '');
      const seen: SSOConfiguration[] = [];
      for await (const row of listAll(call, {})) seen.push(row);
      expect(seen).toEqual(rows);
      expect(pages).toEqual([]);
    }),
  );
});

test('A server that answers with the token it was sent is not asked for ever', async () => {
  const list = listAll(async () => respond([], 'again'), {});
  await expect(list.next()).rejects.toMatchObject({ code: 'internal' });
});

function respond(
  ssoConfigurations: SSOConfiguration[],
  nextToken: string,
): ListSSOConfigurationsResponse {
  return create(ListSSOConfigurationsResponseSchema, {
    ssoConfigurations,
    pagination: { nextToken },
  });
}
