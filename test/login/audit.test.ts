// What signing in, being refused and signing out leave in the audit log.
import { describe, expect, test } from 'vitest';

import type { AuditRecord } from '../../src/domain/audit.ts';
import { ALICE } from '../support/start-misbehaving-idp.ts';
import { startLoginHarness } from './start-login-harness.ts';
import type { LoginHarness } from './start-login-harness.ts';

/** Since those that are known: in no order, because a login leaves them in the same millisecond. */
async function listNew(
  { env, organizationId }: LoginHarness,
  known: readonly AuditRecord[] = [],
): Promise<readonly AuditRecord[]> {
  const query = { organizationId, descending: false };
  const { rows } = await env.store.listAuditRecords(query, { size: 100 });
  const ids = new Set(known.map(({ id }) => id));
  return rows.filter(({ id }) => !ids.has(id)).toSorted((a, b) => (a.action < b.action ? -1 : 1));
}

describe('a login', () => {
  test('is one record, and another for the user whom it makes', async () => {
    const harness = await startLoginHarness();
    const { configuration } = harness;
    await harness.signIn(harness.openBrowser());
    const [user] = await harness.listUsers();
    const first = await listNew(harness);
    const actor = { kind: 'sso_login', userId: user?.id };
    expect(first).toMatchObject([
      { action: 'sign_in', actor, subject: { type: 'sso_configuration', id: configuration.id } },
      { action: 'user.created', actor, subject: { type: 'user', id: user?.id } },
    ]);
    expect(first[1]?.actor.credentialId).toBeDefined();
    await harness.signIn(harness.openBrowser());
    expect(await listNew(harness, first)).toMatchObject([{ action: 'sign_in', actor }]);
  });

  test('names what it changes of a person, and neither the old nor the new', async () => {
    const harness = await startLoginHarness();
    await harness.signIn(harness.openBrowser());
    const before = await listNew(harness);
    harness.idp.signInAs({ ...ALICE, name: 'A canary"}\n{"'.repeat(1000) });
    await harness.signIn(harness.openBrowser());
    const after = await listNew(harness, before);
    expect(after).toMatchObject([
      { action: 'sign_in' },
      { action: 'user.updated', fields: ['name'] },
    ]);
    expect(JSON.stringify(after)).not.toContain('canary');
    expect(JSON.stringify(after).length).toBeLessThan(2000);
  });

  test('tells that it linked a user, and that one came back', async () => {
    const harness = await startLoginHarness();
    const user = await harness.addUser({ email: ALICE.email, name: ALICE.name });
    await harness.signIn(harness.openBrowser());
    const linked = await listNew(harness);
    expect(linked.map(({ action }) => action)).toEqual(['sign_in', 'user.linked']);
    await harness.change((tx) => tx.updateUser({ ...user, status: 'left' }));
    await harness.signIn(harness.openBrowser());
    const returned = await listNew(harness, linked);
    expect(returned.map(({ action }) => action)).toContain('user.returned');
    expect(returned).toHaveLength(2);
  });

  test('that is refused is one record with its reason, and changes nothing', async () => {
    const harness = await startLoginHarness({ configuration: { claimsExpression: 'false' } });
    await harness.signIn(harness.openBrowser());
    const [attempt] = await harness.listAttempts();
    expect(await listNew(harness)).toMatchObject([
      {
        id: attempt?.id,
        action: 'sign_in',
        reason: 'rule_refused',
        actor: { kind: 'sso_login', userId: undefined },
      },
    ]);
    expect(await harness.listUsers()).toEqual([]);
  });

  test('that nobody is known to have begun is none', async () => {
    const harness = await startLoginHarness();
    const path = `/auth/oidc/callback/${harness.organizationId}`;
    await harness.openBrowser().open(`${path}?state=made-up&code=x`);
    expect(await listNew(harness)).toEqual([]);
  });
});
