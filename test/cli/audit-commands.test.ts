import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { AuditRecord } from '../../src/domain/audit.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { openBackstage } from '../support/open-backstage.ts';
import type { Backstage } from '../support/open-backstage.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { readRows } from './json-output.ts';
import { runClaimgate, runInProcess } from './run-claimgate.ts';

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

const run = (args: readonly string[], token: string) =>
  runInProcess(['audit', ...args], {
    env: { CLAIMGATE_URL: server.url, CLAIMGATE_TOKEN: token },
  });

const at = (second: number): Date => new Date(Date.UTC(2026, 10, 1, 0, 0, second, 123));

/** An organization with an admin and records: the newest is the last. */
async function prepareHome(count: number) {
  const organizationId = await backstage.addOrganization();
  const { token, user } = await backstage.addPerson(organizationId, { role: 'admin' });
  const records = Array.from({ length: count }, (_, index): AuditRecord => {
    return {
      id: newId(),
      organizationId,
      at: at(index),
      actor: { kind: 'token', userId: user.id, credentialId: newId() },
      subject: { type: 'sso_configuration', id: newId() },
      action: 'sso_configuration.updated',
      reason: undefined,
      fields: ['claims', 'client_secret'],
      count: 1,
    };
  });
  await backstage.store.transaction(async (tx) => {
    for (const record of records) await tx.insertAuditRecord(record);
  });
  return { organizationId, token, user, records };
}

function readLines(stdout: string): readonly Record<string, unknown>[] {
  expect(stdout === '' || stdout.endsWith('\n')).toBe(true);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line): Record<string, unknown> => JSON.parse(line));
}

describe('claimgate audit list', () => {
  test('lists records in columns, newest first', async () => {
    const { token, records, user } = await prepareHome(2);
    const { exitCode, stdout, stderr } = await run(['list'], token);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
      ['TIME', 'ACTOR', 'BY', 'ACTION', 'REFUSED', 'SUBJECT'],
      ...[1, 0].map((index) => [
        `2026-11-01T00:00:0${index}Z`,
        user.id,
        'token',
        'sso_configuration.updated',
        '-',
        records[index]?.subject?.id,
      ]),
    ]);
  });

  test('shows all there is of each with --long, and narrows by all its options', async () => {
    const { token, records, user } = await prepareHome(5);
    const { stdout } = await run(['list', '--long', '--limit', '1'], token);
    expect(stdout).toMatch(/^Changed +claims, client_secret$/m);
    expect(stdout).toMatch(new RegExp(`^Id +${records[4]?.id}$`, 'm'));
    const list = async (...args: readonly string[]) =>
      readRows(await run(['list', '--json', ...args], token)).map(({ id }) => id);
    const newest = records.map(({ id }) => id).toReversed();
    expect(await list()).toEqual(newest);
    expect(await list('--actor', user.id)).toEqual(newest);
    expect(await list('--actor', newId(), '--actor', newId())).toEqual([]);
    expect(await list('--subject', records[2]?.subject?.id ?? '')).toEqual([records[2]?.id]);
    const times = ['--since', at(1).toISOString(), '--until', at(3).toISOString()];
    expect(await list(...times)).toEqual(newest.slice(2, 4));
    expect(await list('--since', '1h')).toEqual([]);
  });
});

describe('claimgate audit export', () => {
  test('prints every record once, oldest first, a JSON object on each line', async () => {
    const { token, records, organizationId } = await prepareHome(230);
    const env = { CLAIMGATE_URL: server.url, CLAIMGATE_TOKEN: token };
    const { exitCode, stdout, stderr } = await runClaimgate(['audit', 'export'], { env });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const lines = readLines(stdout);
    expect(lines.map(({ id }) => id)).toEqual(records.map(({ id }) => id));
    expect(lines[0]).toEqual({
      id: records[0]?.id,
      organizationId,
      createdAt: '2026-11-01T00:00:00.123Z',
      actorKind: 'token',
      actorId: records[0]?.actor.userId,
      credentialId: records[0]?.actor.credentialId,
      subjectType: 'sso_configuration',
      subjectId: records[0]?.subject?.id,
      action: 'sso_configuration.updated',
      reason: '',
      changedFields: ['claims', 'client_secret'],
      count: '1',
    });
  });

  test('goes on from its last line, and leaves nothing out', async () => {
    const { token, records } = await prepareHome(9);
    const whole = records.map(({ id }) => id);
    const first = readLines((await run(['export', '--until', at(4).toISOString()], token)).stdout);
    expect(first.map(({ id }) => id)).toEqual(whole.slice(0, 4));
    const since = String(first.at(-1)?.['createdAt']);
    const rest = readLines((await run(['export', '--since', since], token)).stdout);
    expect(rest.map(({ id }) => id)).toEqual(whole.slice(3));
  });

  test('holds one line for each record, whatever somebody wrote into the database', async () => {
    const { token, records } = await prepareHome(1);
    const hostile = 'x"}\n{"action":"forged\u2028\u{1b}[2J';
    const database = new DatabaseSync(join(server.folder, 'claimgate.db'));
    database.prepare('update audit_record set action = ?').run(hostile);
    database.close();
    const { stdout } = await run(['export'], token);
    expect(readLines(stdout)).toMatchObject([{ id: records[0]?.id, action: hostile }]);
    for (const steering of ['\u2028', '\u{1b}']) expect(stdout).not.toContain(steering);
    expect((await run(['list'], token)).stdout.trimEnd().split('\n')).toHaveLength(2);
  });

  test('is of all organizations for operators, and of nobody else’s for others', async () => {
    const one = await prepareHome(1);
    const other = await prepareHome(1);
    const all = readLines((await run(['export', '--all'], server.token)).stdout);
    const ids = all.map(({ id }) => id);
    for (const { records } of [one, other]) expect(ids).toContain(records[0]?.id);
    expect(await run(['export', '--all'], one.token)).toMatchObject({ exitCode: 3, stdout: '' });
    const foreign = ['export', '--organization', other.organizationId];
    expect(await run(foreign, one.token)).toMatchObject({ exitCode: 4, stdout: '' });
    expect(readLines((await run(foreign, server.token)).stdout)).toHaveLength(1);
    const both = ['export', '--all', '--organization', other.organizationId];
    expect(await run(both, server.token)).toMatchObject({ exitCode: 2, stdout: '' });
  });

  test.each(['yesterday', '2026-13-01T00:00:00Z', '2026-01-01', '7', '-7d', '7y', ''])(
    'takes no time such as "%s"',
    async (time) => {
      const { exitCode, stdout, stderr } = await run(['export', `--since=${time}`], server.token);
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
      expect(stderr).toContain('7d');
    },
  );

  test('tells a terminal how far it is, and nothing else', async () => {
    const { token } = await prepareHome(1001);
    const streams = [new PassThrough(), new PassThrough(), new PassThrough()] as const;
    const [stdin, stdout, stderr] = streams;
    stdin.end();
    stdout.resume();
    const env = { CLAIMGATE_URL: server.url, CLAIMGATE_TOKEN: token };
    const terminal = Object.assign(stderr, { isTTY: true });
    expect(await runCli(['audit', 'export'], { env, stdin, stdout, stderr: terminal })).toBe(0);
    const told: unknown = stderr.read();
    expect(String(told)).toMatch(/^\r1,000 records, to 2026-11-01T00:\d\d:\d\dZ\S+\r\S+$/);
  });
});
