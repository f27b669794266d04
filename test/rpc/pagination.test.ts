// How lists are cut into pages: sizes, tokens, and what happens to a list while it is read.
import * as fc from 'fast-check';
import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { UserStatus } from '../../gen/gitpod/v1/user_pb.ts';
import { createApi } from '../support/create-api.ts';
import type { Api } from '../support/create-api.ts';
import { describeToken, describeUser, openBackstage } from '../support/open-backstage.ts';
import type { Backstage } from '../support/open-backstage.ts';
import { readRefusal } from '../support/read-refusal.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { describeConfiguration } from './sso-configuration-values.ts';

let claimgate: StartedClaimgate;
let backstage: Backstage;
let api: Api;

beforeAll(async () => {
  claimgate = await startClaimgate();
  backstage = await openBackstage(claimgate);
  api = createApi(claimgate.url, `Bearer ${claimgate.token}`);
});

afterAll(async () => {
  await backstage.close();
  await claimgate.stop();
});

interface PageAsked {
  readonly pageSize?: number;
  readonly token?: string;
}

interface PageGot {
  readonly ids: readonly string[];
  readonly nextToken: string;
}

/** One list RPC over rows of its own. */
interface List {
  readonly ask: (pagination?: PageAsked) => Promise<PageGot>;
  readonly add: (count: number) => Promise<void>;
  readonly remove: (id: string) => Promise<unknown>;
}

const lists: Readonly<Record<string, () => Promise<List>>> = {
  async ListSSOConfigurations() {
    const organizationId = await backstage.addOrganization();
    return {
      async ask(pagination) {
        const page = await api.organizations.listSSOConfigurations({
          organizationId,
          ...(pagination && { pagination }),
        });
        return {
          ids: page.ssoConfigurations.map(({ id }) => id),
          nextToken: page.pagination?.nextToken ?? '',
        };
      },
      add: (count) =>
        backstage.store.transaction(async (tx) => {
          for (let index = 0; index < count; index++)
            await tx.insertSsoConfiguration(describeConfiguration(organizationId), 'hush');
        }),
      remove: (ssoConfigurationId) =>
        api.organizations.deleteSSOConfiguration({ ssoConfigurationId }),
    };
  },

  async ListDomainVerifications() {
    const organizationId = await backstage.addOrganization();
    return {
      async ask(pagination) {
        const page = await api.organizations.listDomainVerifications({
          organizationId,
          ...(pagination && { pagination }),
        });
        return {
          ids: page.domainVerifications.map(({ id }) => id),
          nextToken: page.pagination?.nextToken ?? '',
        };
      },
      add: (count) =>
        backstage.store.transaction(async (tx) => {
          for (let index = 0; index < count; index++) {
            const id = newId();
            await tx.insertDomainVerification({
              id,
              organizationId,
              domain: `d${id}.example`,
              state: 'pending',
              token: '0'.repeat(32),
              createdAt: new Date(),
              verifiedAt: undefined,
            });
          }
        }),
      remove: (domainVerificationId) =>
        api.organizations.deleteDomainVerification({ domainVerificationId }),
    };
  },

  async ListMembers() {
    const organizationId = await backstage.addOrganization();
    let made = 0;
    return {
      async ask(pagination) {
        const page = await api.organizations.listMembers({
          organizationId,
          filter: { statuses: [UserStatus.ACTIVE] },
          ...(pagination && { pagination }),
        });
        return {
          ids: page.members.map(({ userId }) => userId),
          nextToken: page.pagination?.nextToken ?? '',
        };
      },
      add: (count) =>
        backstage.store.transaction(async (tx) => {
          for (let index = 0; index < count; index++) {
            // Several at the same moment, so that only their ids put them in order.
            const createdAt = new Date(1_800_000_000_000 + Math.floor(made++ / 3));
            await tx.insertUser(describeUser(organizationId, { createdAt }));
          }
        }),
      remove: (userId) => api.organizations.leaveOrganization({ userId }),
    };
  },

  async ListPersonalAccessTokens() {
    const { user } = await backstage.addPerson(await backstage.addOrganization());
    const { personalAccessTokens } = await api.users.listPersonalAccessTokens({
      filter: { userIds: [user.id] },
    });
    await api.users.deletePersonalAccessToken({
      personalAccessTokenId: personalAccessTokens[0]?.id ?? '',
    });
    return {
      async ask(pagination) {
        const page = await api.users.listPersonalAccessTokens({
          filter: { userIds: [user.id] },
          ...(pagination && { pagination }),
        });
        return {
          ids: page.personalAccessTokens.map(({ id }) => id),
          nextToken: page.pagination?.nextToken ?? '',
        };
      },
      add: (count) =>
        backstage.store.transaction(async (tx) => {
          for (let index = 0; index < count; index++) {
            const token = describeToken(user.id);
            await tx.insertPersonalAccessToken(token, token.id);
          }
        }),
      remove: (personalAccessTokenId) =>
        api.users.deletePersonalAccessToken({ personalAccessTokenId }),
    };
  },
};

async function readAll(list: List, pageSize: number): Promise<string[][]> {
  const pages: string[][] = [];
  for (let token = ''; pages.length < 500;) {
    const { ids, nextToken } = await list.ask({ pageSize, token });
    pages.push([...ids]);
    if (nextToken === '') break;
    token = nextToken;
  }
  return pages;
}

describe.each(Object.keys(lists))('%s', (name) => {
  const prepare = async (count: number): Promise<List> => {
    const list = await lists[name]?.();
    if (list === undefined) throw new Error(name);
    if (count > 0) await list.add(count);
    return list;
  };

  test('holds 25 unless asked, 100 at most, and says when there is no more', async () => {
    const list = await prepare(130);
    expect((await list.ask()).ids).toHaveLength(25);
    expect((await list.ask({ pageSize: 0 })).ids).toHaveLength(25);
    expect((await readAll(list, 100)).map((page) => page.length)).toEqual([100, 30]);
    expect((await readAll(list, 65)).map((page) => page.length)).toEqual([65, 65]);
    for (const pageSize of [101, 2 ** 31 - 1, -1]) {
      expect(await readRefusal(list.ask({ pageSize }))).toMatchObject({
        code: 'invalid_argument',
        fields: ['pagination.page_size'],
      });
    }
  });

  test('of nothing is one empty page', async () => {
    const list = await prepare(0);
    expect(await list.ask()).toEqual({ ids: [], nextToken: '' });
  });

  test('holds every row once, in the order of creation, whatever the size', async () => {
    const list = await prepare(17);
    const all = (await readAll(list, 100)).flat();
    expect(new Set(all).size).toBe(17);
    expect(all).toEqual(all.toSorted());
    for (const pageSize of [1, 2, 5, 16, 17, 18]) {
      expect((await readAll(list, pageSize)).flat()).toEqual(all);
    }
  });

  test('goes on where it was while rows come and go', async () => {
    const list = await prepare(9);
    const before = (await readAll(list, 100)).flat();
    const first = await list.ask({ pageSize: 3 });
    // One that was shown, the very one where the page ended, and one that is yet to come.
    const gone = [before[0], before[2], before[4]].map(String);
    for (const id of gone) await list.remove(id);
    await list.add(2);
    const rest: string[] = [];
    for (let token = first.nextToken; token !== '';) {
      const page = await list.ask({ pageSize: 3, token });
      rest.push(...page.ids);
      token = page.nextToken;
    }
    const added = (await readAll(list, 100)).flat().slice(-2);
    expect(rest).toEqual([before[3], ...before.slice(5), ...added]);
  });

  test('refuses a token that it did not write: made up, cut short, longer, or with a bit flipped', async () => {
    const list = await prepare(3);
    const { nextToken } = await list.ask({ pageSize: 1 });
    expect((await list.ask({ token: nextToken })).ids).toHaveLength(2);
    const changed = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.base64String({ minLength: 4 }),
      fc.uuid({ version: 7 }),
      fc.uuid({ version: 7 }).map((id) => Buffer.from(JSON.stringify([id])).toString('base64url')),
      fc.nat(nextToken.length - 1).map((length) => nextToken.slice(0, length)),
      fc.string({ minLength: 1, maxLength: 3 }).map((more) => nextToken + more),
      fc.tuple(fc.nat(nextToken.length - 1), fc.nat(5)).map(([index, bit]) => {
        const bytes = Buffer.from(nextToken, 'base64url');
        const place = index % bytes.length;
        bytes[place] = (bytes[place] ?? 0) ^ (1 << bit);
        return bytes.toString('base64url');
      }),
    );
    await fc.assert(
      fc.asyncProperty(changed, async (token) => {
        fc.pre(token !== '' && token !== nextToken);
        expect(await readRefusal(list.ask({ token }))).toMatchObject({
          code: 'invalid_argument',
          fields: ['pagination.token'],
        });
      }),
      { numRuns: 60 },
    );
  });

  test('refuses the token of another list', async () => {
    const list = await prepare(1);
    for (const [other, open] of Object.entries(lists)) {
      const another = await open();
      await another.add(2);
      const { nextToken: token } = await another.ask({ pageSize: 1 });
      expect([other, token]).not.toEqual([other, '']);
      const { code } = await readRefusal(list.ask({ token }));
      expect([other, code]).toEqual([other, 'invalid_argument']);
    }
  });
});
