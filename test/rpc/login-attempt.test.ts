// GetLoginAttempt: who may read one, what is shown of its claims, and what is said where there are none.
import { createClient } from '@connectrpc/connect';
import type { Client } from '@connectrpc/connect';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { KeptClaimsState, LoginAttemptService } from '../../gen/claimgate/v1/login_attempt_pb.ts';
import type { LoginAttempt } from '../../src/domain/login-attempt.ts';
import { openBackstage } from '../support/open-backstage.ts';
import type { Backstage } from '../support/open-backstage.ts';
import { readRefusal } from '../support/read-refusal.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { addAttempt, addLoginHome } from './login-home.ts';
import { describeBearer, WIRES } from './transports.ts';

let claimgate: StartedClaimgate;
let backstage: Backstage;

beforeAll(async () => {
  claimgate = await startClaimgate({ CLAIMGATE_LOGIN_ATTEMPT_CLAIMS: '3' });
  backstage = await openBackstage(claimgate);
});

afterAll(async () => {
  await backstage.close();
  await claimgate.stop();
});

function openAttempts(token: string | undefined): Client<typeof LoginAttemptService> {
  const [wire] = WIRES;
  if (wire === undefined) throw new Error('no wire');
  const headers = token === undefined ? {} : describeBearer(token);
  return createClient(LoginAttemptService, wire.open(claimgate.url, headers));
}

/** As the admin of a home whose rule asks for a group reads an attempt of it. */
async function readAttempt(
  given: Partial<LoginAttempt> = {},
  claims?: Readonly<Record<string, unknown>>,
) {
  const claimsExpression = '"staff" in claims.groups';
  const { admin, configuration } = await addLoginHome(backstage, {
    configurations: [{ claimsExpression, revision: 7 }],
  });
  const { id } = await addAttempt(backstage, configuration, given, claims);
  const read = () => openAttempts(admin.token).getLoginAttempt({ loginAttemptId: id });
  return { id, read, ...(await read()) };
}

function change(sql: string, ...values: string[]): void {
  const database = new DatabaseSync(join(claimgate.folder, 'claimgate.db'));
  database.prepare(sql).run(...values);
  database.close();
}

describe('A login attempt', () => {
  test('is for admins of its organization and operators, read-only tokens included', async () => {
    const { configuration, admin, member } = await addLoginHome(backstage);
    const foreign = await backstage.addPerson(await backstage.addOrganization(), { role: 'admin' });
    const { id: loginAttemptId } = await addAttempt(backstage, configuration, {}, { sub: 'a' });
    const callers: [token: string | undefined, code: string][] = [
      [claimgate.token, 'ok'],
      [admin.token, 'ok'],
      [await backstage.addToken(admin.user.id, { readOnly: true }), 'ok'],
      [member.token, 'permission_denied'],
      [foreign.token, 'not_found'],
      [undefined, 'unauthenticated'],
    ];
    for (const [token, code] of callers) {
      const call = openAttempts(token).getLoginAttempt({ loginAttemptId });
      expect((await readRefusal(call)).code).toBe(code);
    }
    const ask = (id: string) =>
      readRefusal(openAttempts(foreign.token).getLoginAttempt({ loginAttemptId: id }));
    const { code, message } = await ask(newId());
    expect(await ask(loginAttemptId)).toMatchObject({ code, message });
    expect(await ask('no id')).toMatchObject({
      code: 'invalid_argument',
      fields: ['login_attempt_id'],
    });
  });

  test('comes with its claims as they came, and with why the rule refuses them', async () => {
    const claims = {
      sub: '<script>alert(1)</script>',
      email: 'anna@example.com',
      groups: ['sales', 'ä\u{1f511}', '\ud800'],
      level: 3.5,
      address: { country: null },
      ['__proto__']: { polluted: true },
    };
    const { loginAttempt, claims: kept } = await readAttempt({}, claims);
    expect(kept).toMatchObject({ state: KeptClaimsState.KEPT, detail: '' });
    expect(JSON.parse(kept?.json ?? '')).toEqual(claims);
    expect(loginAttempt).toMatchObject({
      maskedEmail: 'a***@example.com',
      claimsKept: true,
      explanation: { causes: [{ expression: '"staff" in claims.groups' }] },
    });
    expect(loginAttempt?.explanation?.summary).not.toContain('changed since');
  });

  test('that was let in has claims, and nothing to explain', async () => {
    const { loginAttempt, claims } = await readAttempt(
      { outcome: 'admitted', stage: 'session', reason: undefined, detail: '' },
      { sub: 'a' },
    );
    expect(claims?.json).toBe('{"sub":"a"}');
    expect(loginAttempt?.explanation).toBeUndefined();
  });

  test('shows none of the tokens that an identity provider has put among the claims', async () => {
    const jwt = `eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(20)}.${'c'.repeat(20)}`;
    const { claims } = await readAttempt(
      {},
      {
        sub: 'a',
        note: 'eyJ is how they begin',
        raw: jwt,
        list: [jwt],
        _claim_sources: { src1: { endpoint: 'https://x', access_token: 'ksj3n283dke' } },
        JWT: 'jwt',
        refresh_token: ['opaque'],
      },
    );
    expect(JSON.parse(claims?.json ?? '')).toEqual({
      sub: 'a',
      note: 'eyJ is how they begin',
      raw: '(withheld)',
      list: ['(withheld)'],
      _claim_sources: { src1: { endpoint: 'https://x', access_token: '(withheld)' } },
      JWT: '(withheld)',
      refresh_token: '(withheld)',
    });
  });

  test.for([
    ['discovery', 'issuer_unreachable', KeptClaimsState.NONE_CAME, 'No claims came'],
    ['id_token', 'expired', KeptClaimsState.NONE_CAME, 'No claims came'],
    ['callback', 'browser_mismatch', KeptClaimsState.NONE_CAME, 'No claims came'],
    ['callback', 'configuration_changed', KeptClaimsState.NOT_KEPT, 'newest 3 attempts'],
    ['policy', 'rule_refused', KeptClaimsState.NOT_KEPT, 'newest 3 attempts'],
    ['person', 'user_suspended', KeptClaimsState.NOT_KEPT, 'newest 3 attempts'],
  ] as const)('of stage %s, reason %s, without claims says why', async (row) => {
    const [stage, reason, state, words] = row;
    const { loginAttempt, claims } = await readAttempt({ stage, reason });
    expect(claims).toMatchObject({ state, json: '' });
    expect(claims?.detail).toContain(words);
    expect(loginAttempt).toMatchObject({ claimsKept: false });
    expect(loginAttempt?.explanation).toBeUndefined();
  });

  test('whose claims are under a key that is gone is shown without them', async () => {
    const { id, read } = await readAttempt({}, { sub: 'a' });
    change(`UPDATE login_attempt SET key_id = 'gone' WHERE id = ?`, id);
    const { loginAttempt, claims } = await read();
    expect(claims).toMatchObject({ state: KeptClaimsState.UNREADABLE, json: '' });
    expect(claims?.detail).toContain('encryption key');
    expect(loginAttempt).toMatchObject({ id, claimsKept: false });
  });

  test('that has been forgotten meanwhile is not there', async () => {
    const { id, read } = await readAttempt({}, { sub: 'a' });
    change('DELETE FROM login_attempt WHERE id = ?', id);
    expect(await readRefusal(read())).toMatchObject({ code: 'not_found' });
  });

  test('leaves none of its claims in the log', async () => {
    const { claims } = await readAttempt({}, { sub: 'canary-claim-91c4' });
    expect(claims?.json).toContain('canary-claim-91c4');
    expect(claimgate.readLog()).not.toContain('canary-claim-91c4');
  });
});
