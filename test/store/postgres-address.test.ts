import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePostgresUrl, PostgresAddressError } from '../../src/store/postgres-address.ts';
import type { PostgresAddress } from '../../src/store/postgres-address.ts';

describe('a PostgreSQL URL', () => {
  test.each<[string, Partial<PostgresAddress>]>([
    [
      'postgres://ada:secret@db.example/claimgate',
      {
        hosts: [{ host: 'db.example', port: 5432 }],
        user: 'ada',
        password: 'secret',
        database: 'claimgate',
        maxTransactions: 10,
        name: 'postgres://db.example:5432/claimgate',
      },
    ],
    ['postgresql://ada@h:1/d', { hosts: [{ host: 'h', port: 1 }], password: undefined }],
    ['postgres://a%40b:%3A%2F%25@h/d%20e', { user: 'a@b', password: ':/%', database: 'd e' }],
    ['postgres://a:b:c@d@h/d', { user: 'a', password: 'b:c@d' }],
    [
      'postgres://a:b@h1:5433,h2,[2001:db8::1]:5434/d?target_session_attrs=read-write',
      {
        hosts: [
          { host: 'h1', port: 5433 },
          { host: 'h2', port: 5432 },
          { host: '2001:db8::1', port: 5434 },
        ],
        name: 'postgres://h1:5433,h2:5432,[2001:db8::1]:5434/d',
      },
    ],
    ['postgres://a:b@h/d?pool_max_conns=3', { maxTransactions: 3 }],
  ])('%s is read', (url, expected) => {
    expect(parsePostgresUrl(url)).toMatchObject(expected);
  });

  test.each([
    ['localhost', '', 'disable'],
    ['127.0.0.1:5433,[::1],localhost', '', 'disable'],
    ['db.example', '', 'verify-full'],
    ['localhost,db.example', '', 'verify-full'],
    ['localhost.example', '', 'verify-full'],
    ['db.example', '?sslmode=disable', 'disable'],
    ['localhost', '?sslmode=verify-ca', 'verify-ca'],
  ])('to %s%s has TLS as %s', (hosts, query, mode) => {
    expect(parsePostgresUrl(`postgres://a:b@${hosts}/d${query}`).tls.mode).toBe(mode);
  });

  test.each([
    'postgres://',
    'postgres://h',
    'postgres://a:canary@h',
    'postgres://a:canary@h/',
    'postgres://:canary@h/d',
    'postgres://h/d',
    'postgres://a:canary@/d',
    'postgres://a:canary@h1,,h2/d',
    'postgres://a:canary@h:0/d',
    'postgres://a:canary@h:65536/d',
    'postgres://a:canary@h:port/d',
    'postgres://a:canary@2001:db8::1/d',
    'postgres://a:canary@h/d/e',
    'postgres://a:canary@h/d#e',
    'postgres://a:%canary@h/d',
    'postgres://a:canary@h/d?sslmode=prefer',
    'postgres://a:canary@h/d?sslmode=disable&sslmode=disable',
    'postgres://a:canary@h/d?target_session_attrs=any',
    'postgres://a:canary@h/d?options=-c%20fsync=off',
    'postgres://a:canary@h/d?pool_max_conns=0',
  ])('%s is refused, without being repeated', (url) => {
    expect(() => parsePostgresUrl(url)).toThrow(PostgresAddressError);
    expect(() => parsePostgresUrl(url)).toThrow(/^(?!.*canary)(?:must|cannot) /);
  });

  test('is read or refused, whatever it is, and its password is in no name and no message', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ':', '/', '@', '?', '%', ',', '[', '=') });
    fc.assert(
      fc.property(text, text, (before, behind) => {
        try {
          const { name } = parsePostgresUrl(`postgres://${before}u:canary@h${behind}/d`);
          expect(name).not.toContain('canary');
        } catch (error) {
          expect(error).toBeInstanceOf(PostgresAddressError);
          expect(String(error)).not.toContain('canary');
        }
      }),
    );
  });

  test('gives back any user, password and database that were encoded', () => {
    const part = fc.string({ minLength: 1, unit: 'grapheme' });
    fc.assert(
      fc.property(part, part, part, (user, password, database) => {
        const [u, p, d] = [user, password, database].map(encodeURIComponent);
        const address = parsePostgresUrl(`postgres://${u}:${p}@h/${d}`);
        expect(address).toMatchObject({ user, password, database });
      }),
    );
  });
});
