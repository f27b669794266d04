import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { LoginAttempt } from '../../src/domain/login-attempt.ts';
import { describeConfiguration } from '../rpc/sso-configuration-values.ts';
import { openBackstage } from '../support/open-backstage.ts';
import type { Backstage } from '../support/open-backstage.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { readObject, readRows } from './json-output.ts';
import { runClaimgate } from './run-claimgate.ts';
import type { Finished } from './run-claimgate.ts';

let server: StartedClaimgate;
let backstage: Backstage;

beforeAll(async () => {
  server = await startClaimgate({ CLAIMGATE_RETURN_TO_ORIGINS: 'https://app.example.com' });
  backstage = await openBackstage(server);
});

afterAll(async () => {
  await backstage.close();
  await server.stop();
});

async function runLogin(args: readonly string[], token?: string): Promise<Finished> {
  const env = {
    CLAIMGATE_URL: server.url,
    ...(token !== undefined && { CLAIMGATE_TOKEN: token }),
  };
  return runClaimgate(['login', ...args], { env });
}

/** An organization with two configurations, an admin, and attempts: the newest is the last. */
async function prepareHome(count: number) {
  const organizationId = await backstage.addOrganization();
  const { token } = await backstage.addPerson(organizationId, { role: 'admin' });
  const domain = `d${newId()}.example`;
  const emailDomains = [domain];
  const configurations = [
    { ...describeConfiguration(organizationId), emailDomains },
    describeConfiguration(organizationId),
  ];
  const attempts = Array.from({ length: count }, (_, index): LoginAttempt => {
    const admitted = index % 2 === 0;
    return {
      id: newId(),
      organizationId,
      ssoConfigurationId: configurations[index % 3 === 0 ? 1 : 0]?.id ?? '',
      revision: 3,
      outcome: admitted ? 'admitted' : 'refused',
      stage: admitted ? 'session' : 'policy',
      reason: admitted ? undefined : 'rule_refused',
      detail: admitted ? '' : 'The rule is false \u{1b}[2J',
      maskedEmail: 'a***@example.com',
      address: '192.0.2.7',
      at: new Date(Date.UTC(2026, 10, 1) + index * 1000),
    };
  });
  await backstage.store.transaction(async (tx) => {
    for (const configuration of configurations) {
      await tx.insertSsoConfiguration(configuration, 'hush');
    }
    await tx.insertDomainVerification({
      id: newId(),
      organizationId,
      domain,
      state: 'verified',
      token: '0'.repeat(32),
      createdAt: new Date(),
      verifiedAt: new Date(),
    });
    for (const attempt of attempts) {
      const retention = { claimsPerConfiguration: 0, maxAgeMs: 1 };
      await tx.insertLoginAttempt(attempt, undefined, retention);
    }
  });
  return { organizationId, token, configurations, attempts, domain };
}

describe('claimgate login attempts', () => {
  test('lists attempts in columns, newest first', async () => {
    const { token, attempts } = await prepareHome(2);
    const { exitCode, stdout, stderr } = await runLogin(['attempts'], token);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
      ['TIME', 'OUTCOME', 'STAGE', 'REASON', 'EMAIL', 'ADDRESS', 'ID'],
      [
        '2026-11-01T00:00:01Z',
        'refused',
        'policy',
        'rule_refused',
        'a***@example.com',
        '192.0.2.7',
        attempts[1]?.id,
      ],
      [
        '2026-11-01T00:00:00Z',
        'admitted',
        'session',
        '-',
        'a***@example.com',
        '192.0.2.7',
        attempts[0]?.id,
      ],
    ]);
  });

  test('shows all there is of each with --long, and lets nothing steer the terminal', async () => {
    const { token, attempts, configurations } = await prepareHome(2);
    const { stdout } = await runLogin(['attempts', '--long'], token);
    const [refused = '', admitted = '', ...others] = stdout.split('\n\n');
    expect(others).toEqual([]);
    expect(refused).toMatch(/^Detail +The rule is false \\u001b\[2J$/m);
    expect(refused).toContain(configurations[0]?.id);
    expect(refused).toMatch(/^Revision +3$/m);
    expect(refused).toMatch(new RegExp(`^Id +${attempts[1]?.id}$`, 'm'));
    expect(admitted).toMatch(/^Detail +-$/m);
    expect(stdout).not.toContain('\u{1b}');
  });

  test('narrows the list, and goes on over all its pages', async () => {
    const { token, organizationId, configurations, attempts } = await prepareHome(230);
    const list = async (...args: readonly string[]) =>
      readRows(await runLogin(['attempts', '--json', ...args], token)).map(({ id }) => id);
    const newestFirst = attempts.toReversed();
    const idsOf = (chosen: readonly LoginAttempt[]) => chosen.map(({ id }) => id);
    expect(await list()).toEqual(idsOf(newestFirst));
    expect(await list('--organization', organizationId, '--limit', '3')).toEqual(
      idsOf(newestFirst.slice(0, 3)),
    );
    const configuration = configurations[1]?.id ?? '';
    expect(await list('--outcome', 'refused', '--configuration', configuration)).toEqual(
      idsOf(
        newestFirst.filter(
          ({ outcome, ssoConfigurationId }) =>
            outcome === 'refused' && ssoConfigurationId === configuration,
        ),
      ),
    );
    const admitted = newestFirst.filter(({ outcome }) => outcome === 'admitted');
    expect(await list('--outcome', 'admitted')).toEqual(idsOf(admitted));
  });

  test('is for admins, and takes no outcome but the two', async () => {
    const { organizationId } = await prepareHome(1);
    const member = await backstage.addPerson(organizationId);
    expect(await runLogin(['attempts'], member.token)).toMatchObject({ exitCode: 3, stdout: '' });
    const foreign = await backstage.addPerson(await backstage.addOrganization(), { role: 'admin' });
    const args = ['attempts', '--organization', organizationId];
    expect(await runLogin(args, foreign.token)).toMatchObject({ exitCode: 4, stdout: '' });
    const wrong = await runLogin(['attempts', '--outcome', 'maybe'], member.token);
    expect(wrong).toMatchObject({ exitCode: 2, stdout: '' });
    expect(wrong.stderr).toContain('admitted, refused');
    expect((await runLogin(['attempts'])).exitCode).toBe(3);
  });
});

describe('claimgate login show', () => {
  test('tells one attempt, why the rule refuses it, and its claims', async () => {
    const { token, id } = await addShown({ email: 'anna@example.com', name: 'A\u{1b}[2J\u{202e}' });
    const { exitCode, stdout, stderr } = await runLogin(['show', id], token);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Id +${id}$`, 'm'));
    expect(stdout).toContain('claims.email.endsWith("@example.org") is false');
    expect(stdout).toContain('  "email": "anna@example.com",');
    expect(stdout).not.toContain('\u{1b}');
    expect(stdout).not.toContain('\u{202e}');
  });

  test('prints the claims alone, as sso evaluate takes them', async () => {
    const claims = { email: 'anna@example.com', name: 'A\u{1b}[2J\u{202e}', groups: ['x'] };
    const { token, id } = await addShown(claims);
    const { exitCode, stdout } = await runLogin(['show', id, '--claims'], token);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual(claims);
    const json = readObject(await runLogin(['show', id, '--json'], token));
    expect(json['claims']).toMatchObject({ state: 'KEPT_CLAIMS_STATE_KEPT' });
  });

  test('says where there are no claims, and ends with 5 where they alone were asked for', async () => {
    const { token, attempts } = await prepareHome(2);
    const id = attempts[1]?.id ?? '';
    expect((await runLogin(['show', id], token)).stdout).toContain('The claims are not kept');
    const alone = await runLogin(['show', id, '--claims'], token);
    expect(alone).toMatchObject({ exitCode: 5, stdout: '' });
    expect(alone.stderr).toContain('The claims are not kept');
  });

  test('is for admins, of what there is', async () => {
    const { organizationId, attempts, token } = await prepareHome(1);
    const id = attempts[0]?.id ?? '';
    const member = await backstage.addPerson(organizationId);
    expect(await runLogin(['show', id], member.token)).toMatchObject({ exitCode: 3, stdout: '' });
    expect(await runLogin(['show', newId()], token)).toMatchObject({ exitCode: 4, stdout: '' });
  });

  async function addShown(claims: Readonly<Record<string, unknown>>) {
    const { organizationId, token } = await prepareHome(0);
    const claimsExpression = 'claims.email.endsWith("@example.org")';
    const configuration = { ...describeConfiguration(organizationId), claimsExpression };
    const attempt: LoginAttempt = {
      id: newId(),
      organizationId,
      ssoConfigurationId: configuration.id,
      revision: configuration.revision,
      outcome: 'refused',
      stage: 'policy',
      reason: 'rule_refused',
      detail: 'The rule is false.',
      maskedEmail: 'a***@example.com',
      address: '192.0.2.7',
      at: new Date(),
    };
    const retention = { claimsPerConfiguration: 1, maxAgeMs: 1 };
    await backstage.store.transaction(async (tx) => {
      await tx.insertSsoConfiguration(configuration, 'hush');
      await tx.insertLoginAttempt(attempt, claims, retention);
    });
    return { token, id: attempt.id };
  }
});

describe('claimgate login url', () => {
  test('prints where a person signs in, without a token', async () => {
    const { domain, configurations } = await prepareHome(0);
    const email = `ada@${domain}`;
    const { exitCode, stdout, stderr } = await runLogin(['url', email]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const url = new URL(stdout);
    expect(`${url.origin}${url.pathname}`).toBe(`${server.url}/login/${configurations[0]?.id}`);
    expect(Object.fromEntries(url.searchParams)).toEqual({ email });

    const returnTo = 'https://app.example.com/a?b=c';
    const json = readObject(await runLogin(['url', email, '--return-to', returnTo, '--json']));
    const { searchParams } = new URL(String(json['loginUrl']));
    expect(Object.fromEntries(searchParams)).toEqual({ email, return_to: returnTo });
  });

  test('ends with 4 for a domain without a login, and with 5 for a wrong value', async () => {
    const { domain } = await prepareHome(0);
    const unknown = await runLogin(['url', 'ada@unknown.example']);
    expect(unknown).toMatchObject({ exitCode: 4, stdout: '' });
    expect(unknown.stderr).toContain('No single sign-on');
    expect(await runLogin(['url', 'nobody'])).toMatchObject({ exitCode: 5, stdout: '' });
    const elsewhere = ['url', `ada@${domain}`, '--return-to', 'https://elsewhere.example'];
    const refused = await runLogin(elsewhere);
    expect(refused).toMatchObject({ exitCode: 5, stdout: '' });
    expect(refused.stderr).toContain('return_to');
  });
});
