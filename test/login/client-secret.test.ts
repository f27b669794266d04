// Where a stored client secret goes when its configuration is pointed at another identity provider.
import { describe, expect, it } from 'vitest';

import { DomainError } from '../../src/domain/errors.ts';
import { updateSsoConfiguration } from '../../src/domain/sso-configuration.ts';
import type { SsoConfigurationChange } from '../../src/domain/sso-configuration.ts';
import { startMisbehavingIdp } from '../support/start-misbehaving-idp.ts';
import { startLoginHarness } from './start-login-harness.ts';

const NOTHING: SsoConfigurationChange = { claims: {}, emailDomains: [] };

async function pointElsewhere(change: Partial<SsoConfigurationChange>) {
  const harness = await startLoginHarness();
  const other = await startMisbehavingIdp();
  const caller = {
    userId: 'somebody',
    organizationId: harness.organizationId,
    role: 'admin' as const,
    operator: false,
    readOnly: false,
    credential: { kind: 'token' as const, id: '019f0000-0000-7000-8000-0000000000ff' },
  };
  await updateSsoConfiguration(harness.env, caller, harness.configuration.id, {
    ...NOTHING,
    issuerUrl: other.issuer,
    clientId: other.clientId,
    ...change,
  });
  const browser = harness.openBrowser();
  const answer = await browser.open(`/login/${harness.configuration.id}`);
  const attempts = await harness.listAttempts();
  await other.stop();
  return { answer, attempts, issuer: other.issuer, records: harness.records };
}

describe('a configuration whose issuer is moved to another server', () => {
  it('asks for its client secret again before anybody can sign in', async () => {
    const { answer, attempts, records } = await pointElsewhere({});
    expect(answer.status).toBe(403);
    expect(attempts[0]).toMatchObject({ stage: 'start', reason: 'secret_unavailable' });
    expect(attempts[0]?.detail).toContain('Set client_secret again');
    // The admin's to mend, and no failing of ours.
    expect(records).toMatchObject([{ outcome: 'refused', code: 'secret_unavailable' }]);
    expect(records[0]).not.toHaveProperty('cause');
  });

  it('signs people in once the secret is given for it', async () => {
    const { answer, issuer } = await pointElsewhere({ clientSecret: 'the-secret-of-the-other' });
    expect(answer.status).toBe(303);
    expect(answer.location).toContain(issuer);
  });
});

describe('a client secret that does not decrypt', () => {
  it('is told to the admin in the attempt, and to the operator in the log', async () => {
    const harness = await startLoginHarness();
    harness.env.store.readClientSecret = async () => {
      const cause = new Error('no encryption key has the id "gone"');
      throw new DomainError('failed_precondition', 'It cannot be decrypted.', { cause });
    };
    const answer = await harness.openBrowser().open(`/login/${harness.configuration.id}`);
    expect(answer.status).toBe(403);
    const [attempt] = await harness.listAttempts();
    expect(attempt).toMatchObject({ stage: 'start', reason: 'secret_undecryptable' });
    expect(harness.records).toMatchObject([
      {
        route: '/login/{id}',
        code: 'secret_undecryptable',
        attemptId: attempt?.id,
        cause: expect.any(Error),
      },
    ]);
  });
});
