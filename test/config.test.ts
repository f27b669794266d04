import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { ConfigError, parseConfig, variableNames } from '../src/config.ts';
import type { Config } from '../src/config.ts';
import { runClaimgate } from './cli/run-claimgate.ts';

const KEY = randomBytes(32).toString('base64');

function findMistakes(environment: Record<string, string | undefined>): readonly string[] {
  try {
    parseConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
}

interface Good {
  readonly name: string;
  readonly value: string;
  readonly read: (config: Config) => unknown;
  readonly expected: unknown;
}

const origins: Good['read'] = ({ allowedOrigins }) => allowedOrigins;
const returnTo: Good['read'] = ({ returnToOrigins }) => returnToOrigins;
const file: Good['read'] = ({ database }) => database.kind === 'sqlite' && database.file;
const servers: Good['read'] = ({ dnsServers }) => dnsServers;
const proxies: Good['read'] = ({ trustedProxies }) =>
  trustedProxies.map(([address, bits]) => `${address.toString()}/${bits}`);
const keyIds: Good['read'] = ({ encryptionKeys }) => encryptionKeys?.keys.map(({ id }) => id);
const publicUrl: Good['read'] = (config) => config.publicUrl;
const port: Good['read'] = (config) => config.port;
const idle: Good['read'] = ({ sessionLifetime }) => sessionLifetime.idleMs;
const longest: Good['read'] = ({ sessionLifetime }) => sessionLifetime.absoluteMs;
const claims: Good['read'] = ({ attemptRetention }) => attemptRetention.claimsPerConfiguration;
const days: Good['read'] = ({ attemptRetention }) => attemptRetention.maxAgeMs;
const signIns: Good['read'] = ({ auditRetention }) => auditRetention.signInMaxAgeMs;
const records: Good['read'] = ({ auditRetention }) => auditRetention.maxAgeMs;

const DAY_MS = 24 * 60 * 60 * 1000;
const OPEN_TOKEN = 'any-24-characters-will-do';
const LONG_TOKEN = '!'.repeat(512);

const GOOD: readonly (readonly [string, string, Good['read'], unknown])[] = [
  ['CLAIMGATE_HOST', '0.0.0.0', ({ host }) => host, '0.0.0.0'],
  ['CLAIMGATE_HOST', '::1', ({ host }) => host, '::1'],
  ['CLAIMGATE_PORT', '0', port, 0],
  ['CLAIMGATE_PORT', '65535', port, 65_535],
  ['CLAIMGATE_METRICS_PORT', '0', ({ metricsPort }) => metricsPort, 0],
  ['CLAIMGATE_METRICS_HOST', '::1', ({ metricsHost }) => metricsHost, '::1'],
  ['CLAIMGATE_PUBLIC_URL', 'https://sso.example.com', publicUrl, 'https://sso.example.com'],
  ['CLAIMGATE_PUBLIC_URL', 'https://sso.example.com/', publicUrl, 'https://sso.example.com'],
  ['CLAIMGATE_PUBLIC_URL', 'HTTPS://EXAMPLE.com/sso//', publicUrl, 'https://example.com/sso'],
  ['CLAIMGATE_PUBLIC_URL', 'http://localhost:8080', publicUrl, 'http://localhost:8080'],
  ['CLAIMGATE_LOG_LEVEL', 'trace', ({ logLevel }) => logLevel, 'trace'],
  ['CLAIMGATE_LOG_LEVEL', 'silent', ({ logLevel }) => logLevel, 'silent'],
  ['CLAIMGATE_ALLOWED_ORIGINS', 'https://a.example', origins, ['https://a.example']],
  [
    'CLAIMGATE_ALLOWED_ORIGINS',
    ' https://a.example , http://localhost:5173,',
    origins,
    ['https://a.example', 'http://localhost:5173'],
  ],
  ['CLAIMGATE_RETURN_TO_ORIGINS', 'https://a.example', returnTo, ['https://a.example']],
  ['CLAIMGATE_DATABASE_URL', 'sqlite:./x.db', file, './x.db'],
  ['CLAIMGATE_DATABASE_URL', 'sqlite:/var/lib/x.db', file, '/var/lib/x.db'],
  ['CLAIMGATE_DATABASE_URL', 'sqlite:///var/lib/x.db', file, '/var/lib/x.db'],
  ['CLAIMGATE_ENCRYPTION_KEYS', `a:${KEY}`, keyIds, ['a']],
  [
    'CLAIMGATE_ENCRYPTION_KEYS',
    `b:${randomBytes(32).toString('base64')}, a:${KEY}`,
    keyIds,
    ['b', 'a'],
  ],
  ['CLAIMGATE_BOOTSTRAP_TOKEN', OPEN_TOKEN, ({ bootstrapToken }) => bootstrapToken, OPEN_TOKEN],
  ['CLAIMGATE_BOOTSTRAP_TOKEN', LONG_TOKEN, ({ bootstrapToken }) => bootstrapToken, LONG_TOKEN],
  ['CLAIMGATE_DNS_SERVERS', '192.0.2.53', servers, ['192.0.2.53']],
  [
    'CLAIMGATE_DNS_SERVERS',
    '192.0.2.53:5353,2001:db8::53,[2001:db8::53]:5353',
    servers,
    ['192.0.2.53:5353', '2001:db8::53', '[2001:db8::53]:5353'],
  ],
  ['CLAIMGATE_TRUSTED_PROXIES', '10.0.0.0/8', proxies, ['10.0.0.0/8']],
  ['CLAIMGATE_TRUSTED_PROXIES', '192.0.2.1, ::1', proxies, ['192.0.2.1/32', '::1/128']],
  ['CLAIMGATE_WORKERS', '4', ({ workers }) => workers, 4],
  ['CLAIMGATE_WORKERS', '0', ({ workers }) => workers, availableParallelism()],
  ['CLAIMGATE_SESSION_IDLE_MINUTES', '1', idle, 60_000],
  ['CLAIMGATE_SESSION_IDLE_MINUTES', '525600', idle, 365 * DAY_MS],
  ['CLAIMGATE_SESSION_MAX_MINUTES', '60', longest, 3_600_000],
  ['CLAIMGATE_LOGIN_ATTEMPT_CLAIMS', '0', claims, 0],
  ['CLAIMGATE_LOGIN_ATTEMPT_CLAIMS', '10000', claims, 10_000],
  ['CLAIMGATE_LOGIN_ATTEMPT_DAYS', '0', days, 0],
  ['CLAIMGATE_LOGIN_ATTEMPT_DAYS', '3650', days, 3650 * DAY_MS],
  ['CLAIMGATE_SIGN_IN_DAYS', '1', signIns, DAY_MS],
  ['CLAIMGATE_SIGN_IN_DAYS', '3650', signIns, 3650 * DAY_MS],
  ['CLAIMGATE_AUDIT_DAYS', '1', records, DAY_MS],
  ['CLAIMGATE_AUDIT_DAYS', '3650', records, 3650 * DAY_MS],
  ['CLAIMGATE_PUBLIC_SCHEMA', 'true', ({ publicSchema }) => publicSchema, true],
  ['CLAIMGATE_PUBLIC_SCHEMA', 'false', ({ publicSchema }) => publicSchema, false],
  ['CLAIMGATE_ALLOW_HTTP_ISSUERS', 'true', ({ allowHttpIssuers }) => allowHttpIssuers, true],
  ['CLAIMGATE_ALLOW_HTTP_ISSUERS', 'false', ({ allowHttpIssuers }) => allowHttpIssuers, false],
  [
    'CLAIMGATE_ALLOW_PRIVATE_ISSUERS',
    'true',
    ({ allowPrivateIssuers }) => allowPrivateIssuers,
    true,
  ],
];

test.each(GOOD)('%s=%s is taken', (name, value, read, expected) => {
  expect(read(parseConfig({ [name]: value }))).toEqual(expected);
});

const BAD: Readonly<Record<string, readonly string[]>> = {
  CLAIMGATE_WORKERS: ['-1', '257', '1.5', 'all'],
  CLAIMGATE_PORT: ['65536', '-1', '80.5', '8o8o', ' 80', '0x50', '000080', 'http'],
  CLAIMGATE_METRICS_PORT: ['65536', '-1', 'on'],
  CLAIMGATE_PUBLIC_URL: [
    'sso.mine.example',
    'ftp://sso.example.com',
    'https:///',
    'https://sso.example.com?a=b',
    'https://sso.example.com#top',
    'https://user:pass@sso.example.com',
    'javascript:alert(1)',
  ],
  CLAIMGATE_LOG_LEVEL: ['INFO', 'verbose', 'fatal'],
  CLAIMGATE_ALLOWED_ORIGINS: [
    '*',
    'null',
    'https://a.example/',
    'https://a.example/page',
    'a.example',
    'https://A.example',
    'https://a.example:443',
    'https://a.example https://b.example',
    'https://a.example,nonsense',
  ],
  CLAIMGATE_RETURN_TO_ORIGINS: ['*', 'https://a.example/'],
  CLAIMGATE_DATABASE_URL: [
    'postgres://localhost/claimgate',
    'postgres://user:secret@localhost',
    'postgres://user:secret@localhost/claimgate?sslmode=prefer',
    'mysql://user:secret@localhost/claimgate',
    './claimgate.db',
    'file:claimgate.db',
    ':memory:',
  ],
  CLAIMGATE_ENCRYPTION_KEYS: [
    KEY,
    'a:',
    'a:not-base64!',
    `a:${randomBytes(16).toString('base64')}`,
    `a b:${KEY}`,
    `a:${KEY},a:${KEY}`,
    `a:${KEY},`,
  ],
  CLAIMGATE_BOOTSTRAP_TOKEN: [
    'twenty-three-characters',
    'with a space in twenty-four',
    'é'.repeat(24),
    '!'.repeat(513),
  ],
  CLAIMGATE_DNS_SERVERS: ['dns.example.com', '192.0.2.53;192.0.2.54', '192.0.2', ','],
  CLAIMGATE_TRUSTED_PROXIES: ['proxy.example.com', '10.0.0.0/33', '10.1.2.3/', 'all'],
  CLAIMGATE_SESSION_IDLE_MINUTES: ['0', '-5', '1.5', '8h', '525601', '1e3'],
  CLAIMGATE_SESSION_MAX_MINUTES: ['0', 'never', '525601'],
  CLAIMGATE_LOGIN_ATTEMPT_CLAIMS: ['-1', '10001', 'all'],
  CLAIMGATE_LOGIN_ATTEMPT_DAYS: ['-1', '3651', '30d'],
  CLAIMGATE_SIGN_IN_DAYS: ['0', '3651', '7d'],
  CLAIMGATE_AUDIT_DAYS: ['0', '3651', '1y'],
  CLAIMGATE_PUBLIC_SCHEMA: ['on', '0'],
  CLAIMGATE_ALLOW_HTTP_ISSUERS: ['1', 'yes', 'TRUE', 'on'],
  CLAIMGATE_ALLOW_PRIVATE_ISSUERS: ['1', 'yes'],
};

test.each(Object.entries(BAD).flatMap(([name, values]) => values.map((value) => [name, value])))(
  '%s=%s is refused, with what to write instead and without the value',
  (name = '', value = '') => {
    const [mistake = '', ...others] = findMistakes({ [name]: value });
    expect(others).toEqual([]);
    expect(mistake).toMatch(new RegExp(`^${name} (?:must|cannot) .{10,}`));
    if (value.length > 8) expect(mistake).not.toContain(value);
  },
);

test('Every variable has good values in these tables, and bad ones if anything can be wrong with it', () => {
  // Any text can be a host or a file; the system says what it thinks of it.
  const free = [
    'CLAIMGATE_HOST',
    'CLAIMGATE_METRICS_HOST',
    'CLAIMGATE_TLS_CERT',
    'CLAIMGATE_TLS_KEY',
  ];
  const tls = ['CLAIMGATE_TLS_CERT', 'CLAIMGATE_TLS_KEY'];
  expect(new Set([...GOOD.map(([name]) => name), ...tls])).toEqual(new Set(variableNames));
  expect(new Set([...Object.keys(BAD), ...free])).toEqual(new Set(variableNames));
});

describe('Mistakes', () => {
  test('are all reported at once', () => {
    const everything = Object.fromEntries(
      Object.entries(BAD).map(([name, [value]]) => [name, value]),
    );
    const mistakes = findMistakes({ ...everything, CLAIMGATE_PROT: '1', CLAIMGATE_TLS_CERT: 'x' });
    for (const name of [...Object.keys(BAD), 'CLAIMGATE_PROT', 'CLAIMGATE_TLS_CERT']) {
      expect(mistakes.filter((mistake) => mistake.startsWith(`${name} `))).toHaveLength(1);
    }
  });

  test.each([
    ['CLAIMGATE_HOTS', 'CLAIMGATE_HOST'],
    ['CLAIMGATE_DATABASE_URI', 'CLAIMGATE_DATABASE_URL'],
    ['CLAIMGATE_ALLOWED_ORIGIN', 'CLAIMGATE_ALLOWED_ORIGINS'],
    ['CLAIMGATE_ENCRYPTION_KEY', 'CLAIMGATE_ENCRYPTION_KEYS'],
    ['CLAIMGATE_host', undefined],
    ['CLAIMGATE_NOTHING_OF_THE_KIND', undefined],
  ])('suggest for %s: %s', (name, suggestion) => {
    const [mistake, ...others] = findMistakes({ [name]: 'a-value-nobody-may-see' });
    expect(others).toEqual([]);
    expect(mistake).toContain(`${name} is not a variable of ours`);
    expect(mistake).toContain(
      suggestion === undefined ? 'docs/configuration.md' : `did you mean ${suggestion}?`,
    );
    expect(mistake).not.toContain('a-value-nobody-may-see');
  });

  test.each([['CLAIMGATE_TLS_CERT'], ['CLAIMGATE_TLS_KEY']])(
    'tell that %s alone is half of TLS',
    (name) => {
      expect(findMistakes({ [name]: './file.pem' })).toEqual([
        'CLAIMGATE_TLS_CERT and CLAIMGATE_TLS_KEY go together: set both or neither',
      ]);
    },
  );

  test('repeat no value, whatever it is', () => {
    const anything = fc.string({ minLength: 1, maxLength: 40 }).map((text) => `canary${text}`);
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...variableNames), anything), (environment) => {
        for (const mistake of findMistakes(environment)) expect(mistake).not.toContain('canary');
      }),
    );
  });
});

describe('PostgreSQL', () => {
  const url = 'postgresql://user:secret@db1.example,db2.example:5433/claimgate';

  test('is taken together with encryption keys', () => {
    const keys = `a:${KEY}`;
    expect(
      parseConfig({ CLAIMGATE_DATABASE_URL: url, CLAIMGATE_ENCRYPTION_KEYS: keys }),
    ).toMatchObject({ database: { kind: 'postgres', url } });
  });

  test('is refused without them, with what to do', () => {
    const mistakes = findMistakes({ CLAIMGATE_DATABASE_URL: url });
    expect(mistakes).toEqual([expect.stringContaining('CLAIMGATE_ENCRYPTION_KEYS is needed')]);
    expect(mistakes).toEqual([expect.stringContaining('openssl rand -base64 32')]);
  });
});

describe('What is not a mistake', () => {
  test('An empty value is the same as none', () => {
    const empty = Object.fromEntries(variableNames.map((name) => [name, '']));
    expect(parseConfig(empty)).toEqual(parseConfig({}));
  });

  test('A name without our prefix, and the variables of the command line, are passed over', () => {
    const others = { PATH: '/bin', claimgate_port: 'x', CLAIMGATE_URL: 'x', CLAIMGATE_TOKEN: 'y' };
    expect(parseConfig(others)).toEqual(parseConfig({}));
  });

  test('A certificate with its key turns TLS on', () => {
    const tls = { CLAIMGATE_TLS_CERT: './cert.pem', CLAIMGATE_TLS_KEY: './key.pem' };
    expect(parseConfig(tls).tls).toEqual({ certFile: './cert.pem', keyFile: './key.pem' });
    expect(parseConfig({}).tls).toBeUndefined();
  });
});

test('The process refuses to start, with exit code 2 and the list of mistakes', async () => {
  const env = {
    CLAIMGATE_PORT: 'eighty-eighty',
    CLAIMGATE_BOOTSTRAP_TOKEN: 'a short secret',
    CLAIMGATE_HOTS: 'localhost',
  };
  const { exitCode, stdout, stderr } = await runClaimgate(['serve'], { env });
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toMatch(
    /^claimgate: The configuration has 3 mistakes:\n(?: {2}- CLAIMGATE_.*\n){3}$/,
  );
  expect(stderr).toContain('did you mean CLAIMGATE_HOST?');
  for (const value of Object.values(env).slice(0, 2)) expect(stderr).not.toContain(value);
});
