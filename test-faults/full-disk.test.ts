// What the server does when there is no space left: changes are refused as `resource_exhausted`, reading goes on, nothing
// that was acknowledged is lost, and all is well again when there is space, without a restart of ours.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { startPostgresServer } from '../test/store/postgres-server.ts';
import type { PostgresServer } from '../test/store/postgres-server.ts';
import { expectSqliteIntegrity } from './databases.ts';
import { expectUnavailable, startServerUnderTest } from './server-under-test.ts';
import type { ServerUnderTest } from './server-under-test.ts';
import { mountSmallDisk } from './small-disk.ts';
import type { SmallDisk } from './small-disk.ts';
import { expectNothingLost, readStoredNames, startWriteLoad } from './write-load.ts';
import type { WriteLoad } from './write-load.ts';

/** As whom PostgreSQL runs where the tests run as root. */
const NOBODY = 65_534;

async function mountDisk(megabytes: number, owner?: number): Promise<SmallDisk> {
  const disk = await mountSmallDisk(megabytes, owner);
  onTestFinished(() => disk.dispose());
  return disk;
}

async function startServer(url: string): Promise<ServerUnderTest> {
  const server = await startServerUnderTest(url);
  onTestFinished(async () => void (await server.end('SIGKILL')));
  return server;
}

async function startPostgres(): Promise<PostgresServer> {
  const postgres = await startPostgresServer();
  onTestFinished(() => postgres.dispose());
  return postgres;
}

/** Each refusal is of the one kind, and says what to do. */
function startLoad({ organizationId, call }: ServerUnderTest): WriteLoad {
  return startWriteLoad({
    clients: 4,
    organizationId,
    async send(rpc, body) {
      const answer = await call(rpc, body);
      if (answer.status === 200) return answer;
      expect([answer.status, answer.body['code']]).toEqual([429, 'resource_exhausted']);
      expect(answer.body['message']).toContain('no space left');
      return undefined;
    },
  });
}

async function reachRefusals({ ledger }: WriteLoad, count: number): Promise<void> {
  const goal = ledger.refused + count;
  await expect.poll(() => ledger.refused, { timeout: 20_000 }).toBeGreaterThan(goal);
}

/** Full and free again, twice, while clients write. */
async function expectToGoOn(server: ServerUnderTest, disk: SmallDisk): Promise<void> {
  const load = startLoad(server);
  for (let round = 0; round < 2; round += 1) {
    await load.reach(60);
    disk.fill();
    await reachRefusals(load, 20);
    const { organizationId } = server;
    const read = await server.call('OrganizationService/GetOrganization', { organizationId });
    expect(read.status).toBe(200);
    expect((await readStoredNames(server)).size).toBeGreaterThan(10);
    disk.free();
  }
  await load.reach(60);
  await load.stop();
  expectNothingLost(load.ledger, await readStoredNames(server));
  expect(await server.readReadiness()).toBe(200);
}

describe('A full disk under', () => {
  test('the SQLite file', async () => {
    const disk = await mountDisk(12);
    const file = join(disk.folder, 'data', 'claimgate.db');
    const server = await startServer(`sqlite:${file}`);
    await expectToGoOn(server, disk);
    const { exitCode } = await server.end('SIGTERM');
    expect(exitCode).toBe(0);
    expectSqliteIntegrity(file);
  });

  test('the tables of PostgreSQL', async () => {
    const disk = await mountDisk(24, NOBODY);
    const postgres = await startPostgres();
    await postgres.run(`create tablespace small location '${disk.folder}'`);
    const database = await postgres.createDatabase();
    await postgres.run(`alter database ${database} set tablespace small`);
    const server = await startServer(postgres.createUrl(database));
    await expectToGoOn(server, disk);
    expect((await server.end('SIGTERM')).exitCode).toBe(0);
  });

  test('the log of PostgreSQL, which it does not survive: calls are unavailable until it is started again', async () => {
    const disk = await mountDisk(96, NOBODY);
    const postgres = await startPostgres();
    const server = await startServer(postgres.createUrl(await postgres.createDatabase()));
    await postgres.stop('fast');
    const log = join(postgres.folder, 'data', 'pg_wal');
    execFileSync('cp', ['-a', `${log}/.`, disk.folder]);
    execFileSync('rm', ['-r', log]);
    execFileSync('ln', ['-s', disk.folder, log]);
    await postgres.start();
    await expect.poll(server.readReadiness).toBe(200);
    const { organizationId, callInTime: send } = server;
    const load = startWriteLoad({ clients: 4, organizationId, send });
    await load.reach(60);
    disk.fill();
    // The log goes on in the files that it has.
    await expect
      .poll(
        async () => {
          await postgres.run('select pg_switch_wal()').catch(() => undefined);
          return server.readReadiness();
        },
        { timeout: 20_000 },
      )
      .toBe(503);
    expectUnavailable(await server.callInTime('IdentityService/GetAuthenticatedIdentity', {}));
    disk.free();
    await postgres.stop('immediate');
    await postgres.start();
    await expect.poll(server.readReadiness, { timeout: 10_000 }).toBe(200);
    await load.reach(60);
    await load.stop();
    expectNothingLost(load.ledger, await readStoredNames(server));
  });

  test('what is not there yet keeps the server from starting, and it names the cause', async () => {
    const disk = await mountDisk(1);
    disk.fill();
    await expect(startServer(`sqlite:${join(disk.folder, 'claimgate.db')}`)).rejects.toThrow(
      'there is no space left on its disk. Free some and start again.',
    );
  });
});
