// Who may call what: every RPC, asked by everybody.
import { connect } from 'node:http2';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { OrganizationRole } from '../../gen/gitpod/v1/organization_pb.ts';
import { callJson, callRaw } from '../support/call-json.ts';
import { createApi, openTransport, PROTOCOLS } from '../support/create-api.ts';
import { openBackstage } from '../support/open-backstage.ts';
import type { Backstage } from '../support/open-backstage.ts';
import { readRefusal } from '../support/read-refusal.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { startDnsServer } from '../support/start-dns-server.ts';
import type { StartedDnsServer } from '../support/start-dns-server.ts';
import { addHome, createUnknown } from './add-home.ts';
import type { Home } from './add-home.ts';
import { callRpc, findRpcCase, RPC_CASES } from './rpc-cases.ts';
import type { Targets } from './rpc-cases.ts';

let dns: StartedDnsServer;
let claimgate: StartedClaimgate;
let backstage: Backstage;

beforeAll(async () => {
  dns = await startDnsServer();
  claimgate = await startClaimgate({ CLAIMGATE_DNS_SERVERS: dns.address });
  backstage = await openBackstage(claimgate);
});

afterAll(async () => {
  await backstage.close();
  await claimgate.stop();
  await dns.stop();
});

const CALLERS = ['operator', 'admin', 'member', 'reader', 'colleague', 'foreigner'];

function prepareHome(): Promise<Home> {
  return addHome(claimgate, backstage, dns);
}

const ok = 'ok';
const role = 'permission_denied';
const none = 'not_found';

/**
 * The reader is the admin with a read-only token, the member is the one whom requests are about, the colleague is
 * another member, and the foreigner is an admin of another organization.
 */
const matrix: Readonly<Record<string, readonly string[]>> = {
  // RPC                     operator admin member reader colleague foreigner
  CreateOrganization: /*       */ [ok, role, role, role, role, role],
  GetOrganization: /*          */ [ok, ok, ok, ok, ok, none],
  UpdateOrganization: /*       */ [ok, ok, role, role, role, none],
  DeleteOrganization: /*       */ [ok, ok, role, role, role, none],
  ListMembers: /*              */ [ok, ok, ok, ok, ok, none],
  SetRole: /*                  */ [ok, ok, role, role, role, none],
  LeaveOrganization: /*        */ [ok, ok, ok, role, role, none],
  CreateSSOConfiguration: /*   */ [ok, ok, role, role, role, none],
  GetSSOConfiguration: /*      */ [ok, ok, role, ok, role, none],
  ListSSOConfigurations: /*    */ [ok, ok, role, ok, role, none],
  UpdateSSOConfiguration: /*   */ [ok, ok, role, role, role, none],
  DeleteSSOConfiguration: /*   */ [ok, ok, role, role, role, none],
  CreateDomainVerification: /* */ [ok, ok, role, role, role, none],
  GetDomainVerification: /*    */ [ok, ok, role, ok, role, none],
  ListDomainVerifications: /*  */ [ok, ok, role, ok, role, none],
  VerifyDomain: /*             */ [ok, ok, role, role, role, none],
  DeleteDomainVerification: /* */ [ok, ok, role, role, role, none],
  ListAuditLogs: /*            */ [ok, ok, role, ok, role, ok],
  GetIDToken: /*               */ [ok, ok, ok, role, ok, ok],
  GetAuthenticatedIdentity: /* */ [ok, ok, ok, ok, ok, ok],
  GetAuthenticatedUser: /*     */ [ok, ok, ok, ok, ok, ok],
  CreatePersonalAccessToken: /**/ [ok, none, ok, role, none, none],
  GetPersonalAccessToken: /*   */ [ok, ok, ok, ok, role, none],
  ListPersonalAccessTokens: /* */ [ok, ok, ok, ok, role, none],
  DeletePersonalAccessToken: /**/ [ok, ok, ok, role, role, none],
};

test('the matrix names every RPC', () => {
  expect(Object.keys(matrix).toSorted()).toEqual(
    RPC_CASES.map(({ method }) => method.name).toSorted(),
  );
});

describe.each(PROTOCOLS)('over %s', (protocol) => {
  test.each(Object.entries(matrix))('%s is for those for whom it is', async (name, expected) => {
    const answers = CALLERS.map(async (caller) => {
      const home = await prepareHome();
      const transport = openTransport(claimgate.url, `Bearer ${home.tokens[caller]}`, protocol);
      return (await readRefusal(callRpc(transport, findRpcCase(name), home))).code;
    });
    expect(await Promise.all(answers)).toEqual(expected);
  });
});

test('a read-only token may call what has no side effects, and nothing else', () => {
  const reader = CALLERS.indexOf('reader');
  const readable = RPC_CASES.filter(
    ({ method }) => method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS,
  ).map(({ method }) => method.name);
  expect(
    Object.keys(matrix)
      .filter((name) => matrix[name]?.[reader] === ok)
      .toSorted(),
  ).toEqual(readable.toSorted());
});

describe("another organization's ids", () => {
  const withIds = Object.keys(matrix).filter((name) => matrix[name]?.[5] === none);

  test.each(withIds)(
    'are answered by %s as ids that exist nowhere, byte for byte',
    async (name) => {
      const home = await prepareHome();
      const { rpc, describe } = findRpcCase(name);
      const ask = async (targets: Targets, query: string) => {
        const token = home.tokens['foreigner'];
        const answer = await callJson(claimgate.url, rpc, describe(targets), { token, query });
        const headers = Object.fromEntries(answer.headers);
        for (const varying of ['date', 'x-request-id']) delete headers[varying];
        return { status: answer.status, text: answer.text, headers };
      };
      for (const query of ['', '?pageSize=1', '?token=made-up']) {
        const answer = await ask(home, query);
        expect(answer).toEqual(await ask(createUnknown(), query));
        expect(answer.status).not.toBe(200);
      }
    },
  );

  test.each(withIds)('and what they own is as it was after %s', async (name) => {
    const home = await prepareHome();
    const before = readDatabase();
    const foreign = openTransport(claimgate.url, `Bearer ${home.tokens['foreigner']}`, 'connect');
    await readRefusal(callRpc(foreign, findRpcCase(name), home));
    expect(readDatabase()).toEqual(before);
  });

  test('are not found either when one’s own are named beside them', async () => {
    const home = await prepareHome();
    const { organizations, users } = createApi(claimgate.url, `Bearer ${home.tokens['foreigner']}`);
    const { user } = await users.getAuthenticatedUser({});
    const own = { organizationId: user?.organizationId ?? '', userId: user?.id ?? '' };
    const refusals = [
      organizations.setRole({ ...own, userId: home.userId, role: 1 }),
      organizations.setRole({ ...own, organizationId: home.organizationId, role: 1 }),
      users.listPersonalAccessTokens({ filter: { userIds: [own.userId, home.userId] } }),
    ].map(readRefusal);
    for (const { code } of await Promise.all(refusals)) expect(code).toBe('not_found');
    const { members } = await organizations.listMembers({
      organizationId: own.organizationId,
      filter: { userIds: [home.userId] },
    });
    expect(members).toEqual([]);
  });
});

/** All rows of all tables, but for what calls record of tokens. */
function readDatabase(): unknown {
  const database = new DatabaseSync(join(claimgate.folder, 'claimgate.db'), { readOnly: true });
  try {
    const tables = ['organization', 'user_account', 'sso_configuration', 'domain_verification'];
    return tables.map((table) => database.prepare(`SELECT * FROM ${table} ORDER BY id`).all());
  } finally {
    database.close();
  }
}

describe('credentials that do not hold', () => {
  const scenarios: [what: string, prepare: () => Promise<string | undefined>][] = [
    ['none', async () => undefined],
    ['an empty header', async () => ''],
    ['the scheme alone', async () => 'Bearer '],
    [
      'another scheme',
      async () => `Basic ${Buffer.from(`user:${claimgate.token}`).toString('base64')}`,
    ],
    ['the token without a scheme', async () => claimgate.token],
    ['a made-up token', async () => 'Bearer a-made-up-token-of-some-length'],
    ['a made-up token of our form', async () => `Bearer cgpat_${'0'.repeat(48)}`],
    ['a token that is too short', async () => 'Bearer x'],
    ['a token of 10,000 characters', async () => `Bearer ${'x'.repeat(10_000)}`],
    ['a token with a bad checksum', async () => `Bearer ${flipLast((await addMember()).token)}`],
    ['a token and more', async () => `Bearer ${claimgate.token} more`],
    [
      'an expired token',
      async () => {
        const expiresAt = new Date(Date.now() - 1);
        const { user } = await addMember();
        return `Bearer ${await backstage.addToken(user.id, { expiresAt })}`;
      },
    ],
    [
      'a revoked token',
      async () => {
        const { token } = await addMember();
        const { users } = createApi(claimgate.url, `Bearer ${token}`);
        const { personalAccessTokens } = await users.listPersonalAccessTokens({});
        const personalAccessTokenId = personalAccessTokens[0]?.id ?? '';
        await users.deletePersonalAccessToken({ personalAccessTokenId });
        return `Bearer ${token}`;
      },
    ],
    [
      'a suspended user’s token',
      async () => {
        const { user, token } = await addMember();
        await backstage.store.transaction((tx) => tx.updateUser({ ...user, status: 'suspended' }));
        return `Bearer ${token}`;
      },
    ],
    [
      'the token of a user who has left',
      async () => {
        const organizationId = await backstage.addOrganization();
        const { user, token } = await backstage.addPerson(organizationId);
        await createApi(claimgate.url, `Bearer ${token}`).organizations.leaveOrganization({
          userId: user.id,
        });
        return `Bearer ${token}`;
      },
    ],
    [
      'a user who has left, with a token that is still there',
      async () => {
        const { user, token } = await addMember();
        await backstage.store.transaction((tx) => tx.updateUser({ ...user, status: 'left' }));
        return `Bearer ${token}`;
      },
    ],
    [
      'the token of a deleted organization',
      async () => {
        const { user, token } = await addMember();
        const { organizations } = createApi(claimgate.url, `Bearer ${claimgate.token}`);
        await organizations.deleteOrganization({ organizationId: user.organizationId });
        return `Bearer ${token}`;
      },
    ],
  ];

  async function addMember() {
    return backstage.addPerson(await backstage.addOrganization(), { role: 'admin' });
  }

  describe.each(PROTOCOLS)('over %s', (protocol) => {
    test.each(scenarios)(
      '%s: every RPC is unauthenticated, in the same words',
      async (_, prepare) => {
        const transport = openTransport(claimgate.url, await prepare(), protocol);
        const refusals = await Promise.all(
          RPC_CASES.map((rpcCase) => readRefusal(callRpc(transport, rpcCase, createUnknown()))),
        );
        expect(new Set(refusals.map(({ code }) => code))).toEqual(new Set(['unauthenticated']));
        const [words] = refusals;
        expect(words?.message).toMatch(/^Missing or invalid credentials\./);
        expect(new Set(refusals.map(({ message }) => message)).size).toBe(1);
      },
    );
  });

  test('the scheme is known in any letter case', async () => {
    for (const scheme of ['bearer', 'BEARER', 'Bearer ']) {
      const { identity } = createApi(claimgate.url, `${scheme} ${claimgate.token}`);
      expect(await identity.getAuthenticatedIdentity({})).toMatchObject({
        organizationId: claimgate.organizationId,
      });
    }
  });
});

function flipLast(token: string): string {
  return token.slice(0, -1) + (token.endsWith('0') ? '1' : '0');
}

describe('credentials are checked before the body', () => {
  const broken = Buffer.from('ff07ffff', 'hex');

  test('in Connect, JSON and binary', async () => {
    const bodies: [contentType: string, body: string | Uint8Array<ArrayBuffer>][] = [
      ['application/json', '{'],
      ['application/json', '['.repeat(60_000)],
      ['application/json', 'x'.repeat(1_000_000)],
      ['application/proto', broken],
    ];
    for (const [contentType, body] of bodies) {
      const answer = await callRaw(claimgate.url, 'OrganizationService/GetOrganization', body, {
        headers: { 'content-type': contentType },
      });
      expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
        401,
        { code: 'unauthenticated' },
      ]);
    }
  });

  test('in gRPC-Web', async () => {
    for (const contentType of ['application/grpc-web+proto', 'application/grpc-web+json']) {
      const rpc = 'OrganizationService/GetOrganization';
      const { headers, text } = await callRaw(claimgate.url, rpc, broken, {
        headers: { 'content-type': contentType },
      });
      expect(headers.get('grpc-status') ?? /grpc-status: ?(\d+)/.exec(text)?.[1]).toBe('16');
    }
  });

  test('in gRPC', async () => {
    const session = connect(claimgate.url);
    try {
      for (const contentType of ['application/grpc', 'application/grpc+json']) {
        const stream = session.request({
          ':method': 'POST',
          ':path': '/gitpod.v1.OrganizationService/GetOrganization',
          'content-type': contentType,
          te: 'trailers',
        });
        const status = new Promise((resolve, reject) => {
          stream.on(
            'response',
            (headers) => headers['grpc-status'] && resolve(headers['grpc-status']),
          );
          stream.on('trailers', (trailers) => resolve(trailers['grpc-status']));
          stream.on('error', reject);
        });
        stream.resume();
        stream.end(broken);
        expect(await status).toBe('16');
      }
    } finally {
      session.close();
    }
  });
});

test('a token of one organization acts in that one alone, whatever role it has there', async () => {
  const home = await prepareHome();
  const api = createApi(claimgate.url, `Bearer ${home.tokens['admin']}`);
  expect(await api.identity.getAuthenticatedIdentity({})).toMatchObject({
    organizationId: home.organizationId,
  });
  const elsewhere = { organizationId: claimgate.organizationId };
  expect(await readRefusal(api.organizations.getOrganization(elsewhere))).toMatchObject({
    code: 'not_found',
  });
});

test('demoted, an admin loses the role at once', async () => {
  const { organizationId, tokens } = await prepareHome();
  const admin = createApi(claimgate.url, `Bearer ${tokens['admin']}`);
  const { user } = await admin.users.getAuthenticatedUser({});
  await backstage.addPerson(organizationId, { role: 'admin' });
  await admin.organizations.listSSOConfigurations({ organizationId });
  const demoting = { organizationId, userId: user?.id ?? '', role: OrganizationRole.MEMBER };
  await admin.organizations.setRole(demoting);
  const restoring = { ...demoting, role: OrganizationRole.ADMIN };
  expect(await readRefusal(admin.organizations.setRole(restoring))).toMatchObject({
    code: 'permission_denied',
  });
});
