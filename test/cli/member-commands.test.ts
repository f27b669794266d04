import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { openBackstage } from '../support/open-backstage.ts';
import type { Backstage } from '../support/open-backstage.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { readObject, readRows } from './json-output.ts';
import { runClaimgate, runInProcess } from './run-claimgate.ts';
import type { Finished } from './run-claimgate.ts';

let server: StartedClaimgate;
let backstage: Backstage;

beforeAll(async () => {
  server = await startClaimgate();
  backstage = await openBackstage(server);
});

afterAll(async () => {
  await backstage.close();
  await server.stop();
});

/** Runs `claimgate member …` with this token, or else the operator's. */
async function runMember(args: readonly string[], token: string = server.token): Promise<Finished> {
  const env = { CLAIMGATE_URL: server.url, CLAIMGATE_TOKEN: token };
  return runClaimgate(['member', ...args], { env });
}

async function listMembers(organizationId: string) {
  const env = { CLAIMGATE_URL: server.url, CLAIMGATE_TOKEN: server.token };
  const args = ['org', 'members', '--organization', organizationId, '--json'];
  return readRows(await runClaimgate(args, { env }));
}

describe('claimgate member', () => {
  test('creates a member, whom the list of members then shows', async () => {
    const organizationId = await backstage.addOrganization();
    const at = ['--organization', organizationId];
    const created = await runMember(['create', 'ada@example.com', ...at, '--json']);
    const ada = readObject(created);
    expect(ada).toMatchObject({
      email: 'ada@example.com',
      fullName: 'ada@example.com',
      role: 'ORGANIZATION_ROLE_MEMBER',
      status: 'USER_STATUS_ACTIVE',
    });
    const naming = ['--name', 'Bob B.', '--role', 'admin', ...at];
    const shown = await runMember(['create', 'bob@example.com', ...naming]);
    expect(shown).toMatchObject({ exitCode: 0, stderr: '' });
    expect(shown.stdout).toMatch(/^Name +Bob B\.$/m);
    expect(shown.stdout).toMatch(/^Role +admin$/m);
    const members = await listMembers(organizationId);
    expect(members.map(({ email }) => email)).toEqual(['ada@example.com', 'bob@example.com']);
    expect(members[0]).toEqual(ada);
  });

  test("means the token's own organization when none is named", async () => {
    const organizationId = await backstage.addOrganization();
    const { token } = await backstage.addPerson(organizationId, { role: 'admin' });
    const created = readObject(await runMember(['create', 'ada@example.com', '--json'], token));
    expect(await listMembers(organizationId)).toContainEqual(created);
  });

  test('suspends and reinstates a member, as often as told', async () => {
    const organizationId = await backstage.addOrganization();
    const { user, token } = await backstage.addPerson(organizationId);
    for (const _ of ['once', 'again']) {
      const suspended = await runMember(['suspend', user.id]);
      expect(suspended).toMatchObject({ exitCode: 0, stdout: '' });
      expect(suspended.stderr).toBe(`The user ${user.id} is suspended.\n`);
    }
    expect(await listMembers(organizationId)).toMatchObject([{ status: 'USER_STATUS_SUSPENDED' }]);
    const env = { CLAIMGATE_URL: server.url, CLAIMGATE_TOKEN: token };
    expect(await runClaimgate(['org', 'get'], { env })).toMatchObject({ exitCode: 3 });
    for (const _ of ['once', 'again']) {
      expect(readObject(await runMember(['reinstate', user.id, '--json']))).toEqual({});
    }
    expect(await runClaimgate(['org', 'get'], { env })).toMatchObject({ exitCode: 0 });
  });

  test('ends with the code of what was wrong', async () => {
    const organizationId = await backstage.addOrganization();
    const admin = await backstage.addPerson(organizationId, { role: 'admin' });
    const member = await backstage.addPerson(organizationId);
    const unknown = '0198f2a4-0000-7000-8000-00000000dead';
    const cases: [exitCode: number, says: string, args: readonly string[], token?: string][] = [
      [2, 'missing required argument', ['create'], admin.token],
      [2, 'admin, member', ['create', 'a@b.example', '--role', 'owner']],
      [3, 'ADMIN role', ['suspend', admin.user.id], member.token],
      [4, 'No such member', ['suspend', unknown], admin.token],
      [4, 'No such member', ['reinstate', unknown], admin.token],
      [5, 'last admin', ['suspend', admin.user.id], admin.token],
      [5, 'email', ['create', 'nobody'], admin.token],
      [5, 'this email', ['create', member.user.email], admin.token],
    ];
    const all = cases.map(async ([exitCode, says, args, token]) => {
      const env = { CLAIMGATE_URL: server.url, CLAIMGATE_TOKEN: token ?? server.token };
      const finished = await runInProcess(['member', ...args], { env });
      expect(finished).toMatchObject({ exitCode, stdout: '' });
      expect(finished.stderr).toContain(says);
    });
    await Promise.all(all);
  });
});
