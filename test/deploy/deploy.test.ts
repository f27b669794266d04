// The files in `deploy` and the Dockerfile agree with the program and with one another. `test-deploy` has them run.
import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

import { parseConfig, variableNames } from '../../src/config.ts';
import { findTexts, readDockerfile, readEnvironment } from './read-dockerfile.ts';

const read = (name: string): string => readFileSync(name, 'utf8');

/** As much of https://github.com/compose-spec/compose-spec as we use, and nothing else. */
const SERVICE = z.strictObject({
  build: z.literal('..').optional(),
  image: z.string(),
  environment: z.record(z.string(), z.string()).optional(),
  depends_on: z
    .union([
      z.array(z.string()),
      z.record(z.string(), z.strictObject({ condition: z.literal('service_healthy') })),
    ])
    .optional(),
  restart: z.literal('unless-stopped'),
  stop_grace_period: z
    .string()
    .regex(/^\d+s$/)
    .optional(),
  read_only: z.literal(true).optional(),
  cap_drop: z.tuple([z.literal('ALL')]).optional(),
  security_opt: z.tuple([z.literal('no-new-privileges:true')]).optional(),
  volumes: z.array(z.string().regex(/^[\w./-]+:\/[\w./-]+(?::ro)?$/)).optional(),
  ports: z.array(z.string().regex(/^127\.0\.0\.1:\d+:\d+$/)).optional(),
  healthcheck: z
    .strictObject({
      test: z.tuple([z.literal('CMD')], z.string()),
      interval: z.string(),
      start_period: z.string(),
    })
    .optional(),
});
const COMPOSE = z.strictObject({
  name: z.string(),
  'x-claimgate': z.unknown(),
  services: z.record(z.string(), SERVICE),
  networks: z.strictObject({
    default: z.strictObject({
      ipam: z.strictObject({ config: z.tuple([z.strictObject({ subnet: z.string() })]) }),
    }),
  }),
  volumes: z.record(z.string(), z.null()),
});

const compose = COMPOSE.parse(parse(read('deploy/compose.yaml')));
const replicas = Object.entries(compose.services).filter(([name]) => name.startsWith('claimgate'));
const [, image = []] = readDockerfile();

/** As Compose does it (https://docs.docker.com/reference/compose-file/interpolation/). */
function interpolate(text: string, given: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name, kind, other) => {
    const value = given[name] ?? (kind === '-' ? other : undefined);
    if (value === undefined) throw new Error(`${name}: ${other}`);
    return value;
  });
}

describe('compose.yaml', () => {
  test('starts two replicas that the program takes the environment of', () => {
    expect(replicas.map(([name]) => name)).toEqual(['claimgate-1', 'claimgate-2']);
    const given = {
      POSTGRES_PASSWORD: 'a1b2c3',
      CLAIMGATE_ENCRYPTION_KEYS: `k1:${Buffer.alloc(32).toString('base64')}`,
    };
    for (const [, { environment = {} }] of replicas) {
      const values = Object.entries(environment).map(
        ([name, text]) => [name, interpolate(text, given)] as const,
      );
      const config = parseConfig({ ...readEnvironment(image), ...Object.fromEntries(values) });
      expect(config).toMatchObject({
        host: '0.0.0.0',
        port: 8080,
        database: { kind: 'postgres' },
        publicUrl: 'http://localhost:8080',
      });
    }
  });

  test('does not start without its secrets', () => {
    const { environment = {} } = compose.services['claimgate-1'] ?? {};
    const start = () => Object.values(environment).map((text) => interpolate(text, {}));
    expect(start).toThrow('see the head of this file');
  });

  test('names services, volumes and addresses that are there', () => {
    const names = Object.keys(compose.services);
    for (const { depends_on: needed = [], volumes = [] } of Object.values(compose.services)) {
      expect(names).toEqual(
        expect.arrayContaining(Array.isArray(needed) ? needed : Object.keys(needed)),
      );
      for (const volume of volumes) {
        const [source = ''] = volume.split(':');
        if (source.startsWith('./')) expect(read(`deploy/${source}`)).not.toBe('');
        else expect(Object.keys(compose.volumes)).toContain(source);
      }
    }
    const { subnet } = compose.networks.default.ipam.config[0];
    for (const [, { environment }] of replicas)
      expect(environment).toMatchObject({ CLAIMGATE_TRUSTED_PROXIES: subnet });
  });

  test('gives a replica more time to end than it takes', () => {
    for (const [, { stop_grace_period: grace }] of replicas)
      expect(Number.parseInt(grace ?? '', 10)).toBeGreaterThan(10);
  });
});

test('haproxy.cfg sends to the replicas of compose.yaml, at the port of the image', () => {
  const port = readEnvironment(image)['CLAIMGATE_PORT'];
  const servers = [...read('deploy/haproxy.cfg').matchAll(/^ +server (\S+) (\S+)$/gm)];
  const expected = replicas.map(([name]) => [name, `${name}:${port}`]);
  // Once for those that are ready, and once for any.
  expect(servers.map(([, name, address]) => [name, address])).toEqual([...expected, ...expected]);
});

test('The Dockerfile runs the Node that the tests run', () => {
  const { devDependencies } = JSON.parse(read('package.json'));
  for (const stage of readDockerfile()) {
    const [from = ''] = findTexts(stage, 'FROM');
    expect(from).toMatch(new RegExp(`^node:${devDependencies.node}-slim( AS build)?$`));
  }
  expect(findTexts(image, 'USER')).toEqual(['node']);
});

test('Every variable that is named is one of the program’s', () => {
  const files = ['Dockerfile', 'deploy/compose.yaml', 'deploy/claimgate.service'];
  const named = files.flatMap((file) => read(file).match(/\bCLAIMGATE_\w+/g) ?? []);
  expect(named.length).toBeGreaterThan(8);
  expect(variableNames).toEqual(expect.arrayContaining(named));
});
