// LoginAttemptService: who may list attempts, what a list holds, how it is narrowed and cut into pages.
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { createClient } from '@connectrpc/connect';
import type { Client } from '@connectrpc/connect';
import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { LoginAttemptService, LoginOutcome } from '../../gen/claimgate/v1/login_attempt_pb.ts';
import type { LoginAttempt } from '../../src/domain/login-attempt.ts';
import { openBackstage } from '../support/open-backstage.ts';
import type { Backstage } from '../support/open-backstage.ts';
import { readRefusal } from '../support/read-refusal.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { addAttempt, addLoginHome } from './login-home.ts';
import { describeBearer, WIRES } from './transports.ts';
import type { Wire } from './transports.ts';

let claimgate: StartedClaimgate;
let backstage: Backstage;

beforeAll(async () => {
  claimgate = await startClaimgate();
  backstage = await openBackstage(claimgate);
});

afterAll(async () => {
  await backstage.close();
  await claimgate.stop();
});

const [CONNECT] = WIRES;

function openAttempts(
  token: string | undefined,
  open = CONNECT?.open,
): Client<typeof LoginAttemptService> {
  if (open === undefined) throw new Error('no wire');
  const headers = token === undefined ? {} : describeBearer(token);
  return createClient(LoginAttemptService, open(claimgate.url, headers));
}

/** Two configurations with six attempts in turn, each a second after the one before; newest first. */
async function prepareHome() {
  const home = await addLoginHome(backstage, { configurations: [{}, {}] });
  const attempts: LoginAttempt[] = [];
  for (let index = 0; index < 6; index += 1) {
    const configuration = home.configurations[index % 2];
    if (configuration === undefined) throw new Error('no configuration');
    const ended =
      index % 3 === 0
        ? ({ outcome: 'admitted', stage: 'session', reason: undefined, detail: '' } as const)
        : {};
    const at = new Date(Date.UTC(2026, 10, 1, 0, 0, index, 123));
    attempts.unshift(await addAttempt(backstage, configuration, { ...ended, at }));
  }
  return { ...home, attempts };
}

const idsOf = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);

describe.each(WIRES)('over $wire', ({ open }: Wire) => {
  test('attempts are for admins and operators, read-only tokens included', async () => {
    const { organizationId, admin, member } = await prepareHome();
    const foreign = await backstage.addPerson(await backstage.addOrganization(), { role: 'admin' });
    const callers: [token: string | undefined, code: string][] = [
      [claimgate.token, 'ok'],
      [admin.token, 'ok'],
      [await backstage.addToken(admin.user.id, { readOnly: true }), 'ok'],
      [member.token, 'permission_denied'],
      [foreign.token, 'not_found'],
      [undefined, 'unauthenticated'],
    ];
    for (const [token, code] of callers) {
      const call = openAttempts(token, open).listLoginAttempts({ organizationId });
      expect((await readRefusal(call)).code).toBe(code);
    }
    const unknown = await readRefusal(
      openAttempts(foreign.token, open).listLoginAttempts({ organizationId: newId() }),
    );
    const theirs = await readRefusal(
      openAttempts(foreign.token, open).listLoginAttempts({ organizationId }),
    );
    expect(unknown.code).toBe('not_found');
    expect(unknown.message).toBe(theirs.message);
  });

  test('attempts are listed newest first, as they were recorded', async () => {
    const { organizationId, admin, attempts } = await prepareHome();
    const { loginAttempts } = await openAttempts(admin.token, open).listLoginAttempts({
      organizationId,
    });
    expect(loginAttempts).toHaveLength(attempts.length);
    expect(loginAttempts).toMatchObject(
      attempts.map(({ revision, outcome, reason = '', at, ...attempt }) => ({
        ...attempt,
        ssoConfigurationRevision: BigInt(revision),
        outcome: outcome === 'admitted' ? LoginOutcome.ADMITTED : LoginOutcome.REFUSED,
        reason,
        endedAt: timestampFromDate(at),
      })),
    );
  });

  test('pages of any size hold the whole list in order', async () => {
    const { organizationId, admin, attempts } = await prepareHome();
    const client = openAttempts(admin.token, open);
    for (const pageSize of [1, 4, 6, 100]) {
      const seen: string[] = [];
      let token = '';
      do {
        const pagination = { pageSize, token };
        const page = await client.listLoginAttempts({ organizationId, pagination });
        expect(page.loginAttempts.length).toBeLessThanOrEqual(pageSize);
        seen.push(...idsOf(page.loginAttempts));
        token = page.pagination?.nextToken ?? '';
      } while (token !== '');
      expect(seen).toEqual(idsOf(attempts));
    }
  });
});

describe('a filter', () => {
  test.each([LoginOutcome.ADMITTED, LoginOutcome.REFUSED, LoginOutcome.UNSPECIFIED])(
    'narrows the list by the outcome %i, and by configuration',
    async (outcome) => {
      const { organizationId, admin, attempts, configurations } = await prepareHome();
      const client = openAttempts(admin.token);
      const fits = (attempt: LoginAttempt): boolean =>
        outcome === LoginOutcome.UNSPECIFIED ||
        attempt.outcome === (outcome === LoginOutcome.ADMITTED ? 'admitted' : 'refused');
      const all = await client.listLoginAttempts({ organizationId, filter: { outcome } });
      expect(idsOf(all.loginAttempts)).toEqual(idsOf(attempts.filter(fits)));
      for (const { id: ssoConfigurationId } of configurations) {
        const filter = { outcome, ssoConfigurationId };
        const { loginAttempts } = await client.listLoginAttempts({ organizationId, filter });
        const expected = attempts.filter(
          (attempt) => fits(attempt) && attempt.ssoConfigurationId === ssoConfigurationId,
        );
        expect(expected.length).toBeGreaterThan(0);
        expect(idsOf(loginAttempts)).toEqual(idsOf(expected));
      }
    },
  );

  test('finds by an email all that are masked alike, and by whether claims are kept', async () => {
    const { organizationId, admin, configuration } = await addLoginHome(backstage);
    const client = openAttempts(admin.token);
    const anna = await addAttempt(backstage, configuration, { maskedEmail: 'A***@Example.com' });
    const bob = await addAttempt(backstage, configuration, { maskedEmail: 'b***@example.com' }, {});
    const list = async (filter: { email?: string; claimsKept?: boolean }) =>
      idsOf((await client.listLoginAttempts({ organizationId, filter })).loginAttempts);
    for (const email of ['anna@example.com', 'AMY@EXAMPLE.COM', 'a***@example.com']) {
      expect(await list({ email })).toEqual([anna.id]);
    }
    expect(await list({ email: 'anna@example.net' })).toEqual([]);
    expect(await list({ claimsKept: true })).toEqual([bob.id]);
    expect(await list({ email: 'anna@example.com', claimsKept: true })).toEqual([]);
  });

  test("finds nothing by another organization's configuration, nor by one that exists nowhere", async () => {
    const [home, foreign] = [await prepareHome(), await prepareHome()];
    const client = openAttempts(home.admin.token);
    for (const ssoConfigurationId of [foreign.configuration.id, newId()]) {
      const { loginAttempts } = await client.listLoginAttempts({
        organizationId: home.organizationId,
        filter: { ssoConfigurationId },
      });
      expect(loginAttempts).toEqual([]);
    }
  });

  test.each<[request: Record<string, unknown>, field: string]>([
    [{ organizationId: '' }, 'organization_id'],
    [{ organizationId: 'no id' }, 'organization_id'],
    [{ filter: { ssoConfigurationId: 'no id' } }, 'filter.sso_configuration_id'],
    [{ filter: { outcome: 3 } }, 'filter.outcome'],
    [{ filter: { outcome: -1 } }, 'filter.outcome'],
    [{ filter: { email: 'anna' } }, 'filter.email'],
    [{ pagination: { token: 'made up' } }, 'pagination.token'],
    [{ pagination: { pageSize: -1 } }, 'pagination.page_size'],
  ])('or a page as in %j is refused', async (given, field) => {
    const { organizationId, admin } = await prepareHome();
    const request = { organizationId, ...given };
    const refusal = await readRefusal(openAttempts(admin.token).listLoginAttempts(request));
    expect(refusal).toMatchObject({ code: 'invalid_argument' });
    expect(refusal.fields).toContain(field);
  });

  test('belongs to its page tokens: those of another filter or organization are refused', async () => {
    const [home, foreign] = [await prepareHome(), await prepareHome()];
    const client = openAttempts(claimgate.token);
    const { organizationId, configuration } = home;
    const first = await client.listLoginAttempts({ organizationId, pagination: { pageSize: 1 } });
    const pagination = { pageSize: 1, token: first.pagination?.nextToken ?? '' };
    expect(pagination.token).not.toBe('');
    for (const request of [
      { organizationId: foreign.organizationId },
      { organizationId, filter: { outcome: LoginOutcome.REFUSED } },
      { organizationId, filter: { ssoConfigurationId: configuration.id } },
    ]) {
      const refusal = await readRefusal(client.listLoginAttempts({ ...request, pagination }));
      expect(refusal).toMatchObject({ code: 'invalid_argument', fields: ['pagination.token'] });
    }
    const second = await client.listLoginAttempts({ organizationId, pagination });
    expect(idsOf(second.loginAttempts)).toEqual([home.attempts[1]?.id]);
  });
});

describe('at the wire', () => {
  async function callList(token: string, body: unknown, query = '') {
    const rpc = 'claimgate.v1.LoginAttemptService/ListLoginAttempts';
    const response = await fetch(`${claimgate.url}/${rpc}${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...describeBearer(token) },
      body: JSON.stringify(body),
    });
    const answer: Readonly<Record<string, unknown>> = JSON.parse(await response.text());
    return { status: response.status, answer };
  }

  test('a list without rows holds an empty one, and pages can be asked for by the URL', async () => {
    const empty = await addLoginHome(backstage);
    const { organizationId } = empty;
    expect(await callList(empty.admin.token, { organizationId })).toEqual({
      status: 200,
      answer: { loginAttempts: [], pagination: { nextToken: '' } },
    });
    const home = await prepareHome();
    const body = { organizationId: home.organizationId };
    const { answer } = await callList(home.admin.token, body, '?pageSize=2');
    expect(answer['loginAttempts']).toMatchObject(
      home.attempts.slice(0, 2).map(({ id }) => ({ id })),
    );
    const { nextToken } = answer['pagination'] as { nextToken: string };
    const next = await callList(home.admin.token, body, `?pageSize=2&token=${nextToken}`);
    expect(next.answer['loginAttempts']).toMatchObject(
      home.attempts.slice(2, 4).map(({ id }) => ({ id })),
    );
  });

  test('an attempt is all zero values written out, its outcome by name, and none of its claims', async () => {
    const { organizationId, admin, configuration } = await addLoginHome(backstage);
    const canary = 'canary-claim-7f3a';
    const attempt = await addAttempt(
      backstage,
      configuration,
      {
        outcome: 'admitted',
        stage: 'session',
        reason: undefined,
        detail: '',
        maskedEmail: '',
        address: '',
      },
      { sub: canary, email: `${canary}@example.com` },
    );
    const { answer } = await callList(admin.token, { organizationId });
    expect(answer['loginAttempts']).toEqual([
      {
        id: attempt.id,
        organizationId,
        ssoConfigurationId: configuration.id,
        ssoConfigurationRevision: '7',
        outcome: 'LOGIN_OUTCOME_ADMITTED',
        stage: 'session',
        reason: '',
        detail: '',
        maskedEmail: '',
        address: '',
        endedAt: attempt.at.toISOString(),
        claimsKept: true,
      },
    ]);
    expect(await backstage.store.readLoginAttemptClaims(attempt.id)).toMatchObject({ sub: canary });
    expect(claimgate.readLog()).not.toContain(canary);
  });

  test('an outcome that has no name is refused', async () => {
    const { organizationId, admin } = await addLoginHome(backstage);
    for (const outcome of ['MAYBE', 'ADMITTED', 99, true]) {
      const { status, answer } = await callList(admin.token, {
        organizationId,
        filter: { outcome },
      });
      expect([outcome, status, answer['code']]).toEqual([outcome, 400, 'invalid_argument']);
    }
  });
});
