// The Dockerfile without Docker: its commands in folders instead of images, and then what it starts, asked as its own
// health check does.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

import { findTexts, readDockerfile, readEnvironment } from '../test/deploy/read-dockerfile.ts';

const [build = [], image = []] = readDockerfile();
const NODE_FOLDER = dirname(process.execPath);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claimgate-image-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What `COPY . .` copies: all that is not ignored. Only what is committed, so that a clone is what is tested. */
function copyContext(to: string): void {
  const files = execFileSync('git', ['ls-files'], { encoding: 'utf8' }).trim().split('\n');
  for (const file of files) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    if (existsSync(file)) cpSync(file, join(to, file));
  }
}

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

test('The image is built, starts without anything else, is healthy, and ends when it is asked to', async () => {
  const stage = join(folder, 'build');
  const root = join(folder, 'image');
  const app = join(root, 'app');
  mkdirSync(app, { recursive: true });
  copyContext(stage);
  const path = `${NODE_FOLDER}:${process.env['PATH']}`;
  // What vitest says of itself would have the console built as for a test.
  const { NODE_ENV: _, VITEST: __, ...outside } = process.env;
  for (const command of findTexts(build, 'RUN')) {
    const { status } = spawnSync(command, {
      cwd: stage,
      shell: true,
      stdio: 'inherit',
      env: { ...outside, PATH: path },
    });
    expect([command, status]).toEqual([command, 0]);
  }
  for (const copy of findTexts(image, 'COPY')) {
    const [from, ...names] = copy.split(' ');
    expect(from).toBe('--from=build');
    const to = names.pop() ?? '';
    for (const name of names) {
      const source = join(stage, relative('/build', name));
      cpSync(source, to.endsWith('/') ? join(app, relative('/build', name)) : join(app, to), {
        recursive: true,
      });
    }
  }

  const port = await findFreePort();
  const data = join(folder, 'data');
  mkdirSync(data, { mode: 0o700 });
  const env = {
    ...readEnvironment(image),
    CLAIMGATE_PORT: String(port),
    CLAIMGATE_DATABASE_URL: `sqlite:${join(data, 'claimgate.db')}`,
    PATH: path,
  };
  const [entry = '[]', command = '[]'] = [
    ...findTexts(image, 'ENTRYPOINT'),
    ...findTexts(image, 'CMD'),
  ];
  const [program = '', ...args]: string[] = [...JSON.parse(entry), ...JSON.parse(command)];
  const server = spawn(program, args, { cwd: app, env, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void server.kill('SIGKILL'));
  let output = '';
  server.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  server.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));

  const [, check = ''] = /CMD (\[.*\])$/.exec(findTexts(image, 'HEALTHCHECK')[0] ?? '') ?? [];
  const [checker = '', ...checked]: string[] = JSON.parse(check);
  const isHealthy = (): boolean => spawnSync(checker, checked, { env }).status === 0;
  await expect.poll(isHealthy, { timeout: 20_000, interval: 100 }).toBe(true);
  const url = `http://127.0.0.1:${port}`;
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  const page = await fetch(url);
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<script')]);
  expect(output).toContain('listens at');

  const exited = once(server, 'exit');
  server.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  expect(isHealthy()).toBe(false);
});
