import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { mapClaims, readClaim, readTopName } from '../../src/domain/claims-mapping.ts';
import { MAX_EMAIL_LENGTH } from '../../src/domain/email-domain.ts';

const CLAIMS = {
  email: 'a@example.com',
  'https://example.com/roles': ['x'],
  'a.b': 'whole',
  a: { b: 'nested', 'c/d': 'slash', '~': 'tilde', '': 'empty', list: ['zero', { deep: 'one' }] },
  '': 'no name',
  zero: null,
};

describe('readClaim', () => {
  it.each([
    ['email', 'a@example.com'],
    ['https://example.com/roles', ['x']],
    ['a.b', 'whole'],
    ['/a.b', 'whole'],
    ['/a/b', 'nested'],
    ['a.list.0', 'zero'],
    ['a.list.1.deep', 'one'],
    ['/a/list/1/deep', 'one'],
    ['/a/c~1d', 'slash'],
    ['/a/~0', 'tilde'],
    ['/a/~01', undefined],
    ['/a/', 'empty'],
    ['/', 'no name'],
    ['zero', null],
    ['zero.x', undefined],
    ['email.length', undefined],
    ['a.list.length', undefined],
    ['a.list.-1', undefined],
    ['a.list.00', undefined],
    ['a.list.9', undefined],
    ['/a/list/-', undefined],
    ['nothing', undefined],
    ['a..b', undefined],
    ['constructor', undefined],
    ['__proto__', undefined],
    ['a.__proto__.constructor', undefined],
    ['/a/toString', undefined],
  ])('%s', (path, value) => {
    expect(readClaim(CLAIMS, path)).toEqual(value);
  });

  it('reads own data alone, at any path, and never fails', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (claims, path) => {
        const value = readClaim(claims, path);
        expect(typeof value).not.toBe('function');
        expect(value).not.toBe(Object.prototype);
      }),
    );
  });
});

describe('readTopName', () => {
  it.each([
    ['email', 'email'],
    ['address.country', 'address'],
    ['/address/country', 'address'],
    ['/a~1b/c', 'a/b'],
    ['/a~01', 'a~1'],
    ['/', ''],
    ['https://example.com/roles', 'https://example.com/roles'],
    ['/https:~1~1example.com~1roles/0', 'https://example.com/roles'],
  ])('of %s is %s', (path, name) => {
    expect(readTopName(path)).toBe(name);
  });
});

describe('mapClaims', () => {
  const NOTHING = {
    email: undefined,
    name: undefined,
    picture: undefined,
    groups: [],
    emailVerified: undefined,
  };

  it('reads the standard claims unless told otherwise', () => {
    const claims = {
      email: ' a@example.com ',
      email_verified: true,
      name: 'A',
      picture: 'https://img.example/a.png',
      groups: ['x', 'y'],
    };
    expect(mapClaims({}, claims)).toEqual({
      email: 'a@example.com',
      name: 'A',
      picture: 'https://img.example/a.png',
      groups: ['x', 'y'],
      emailVerified: true,
    });
  });

  it('takes text with U+0000 for none, because PostgreSQL cannot store it', () => {
    const [email, name, picture] = ['a\0@example.com', 'A\0', 'https://img.example/\0'];
    expect(mapClaims({}, { email, name, picture, groups: ['x\0', 'y'] })).toEqual({
      ...NOTHING,
      groups: ['y'],
    });
  });

  it('reads what it is told, and nothing in its place', () => {
    const mapping = { email: 'upn', name: '/profile/full~1name', groups: 'realm.roles' };
    const claims = {
      email: 'ignored@example.com',
      email_verified: true,
      name: 'Ignored',
      upn: 'a@example.com',
      profile: { 'full/name': 'A' },
      realm: { roles: 'admin' },
    };
    expect(mapClaims(mapping, claims)).toEqual({
      ...NOTHING,
      email: 'a@example.com',
      name: 'A',
      groups: ['admin'],
    });
    expect(mapClaims({ email: 'absent' }, claims).email).toBeUndefined();
  });

  it('keeps of an email that is too long no more than shows that it is', () => {
    const { email } = mapClaims({}, { email: `${'a'.repeat(60_000)}@example.com` });
    expect(email).toHaveLength(MAX_EMAIL_LENGTH + 1);
  });

  it.each([
    [true, true],
    ['true', true],
    [false, false],
    ['false', false],
    ['', false],
    ['TRUE', false],
    [1, false],
    [[true], false],
    [null, undefined],
    [undefined, undefined],
  ])('email_verified %j is %j', (given, expected) => {
    expect(mapClaims({}, { email_verified: given }).emailVerified).toBe(expected);
  });

  it.each([
    [{ email: 1, name: {}, picture: [], groups: 1 }],
    [{ email: '', name: '', picture: '', groups: '' }],
    [{ name: 'a'.repeat(257), groups: ['a'.repeat(257), {}, null] }],
    [{ picture: 'http://img.example/a.png' }],
    [{ picture: 'javascript:alert(1)' }],
    [{ picture: `https://img.example/${'a'.repeat(2048)}` }],
  ])('takes no nonsense: %#', (claims) => {
    expect(mapClaims({}, claims)).toEqual(NOTHING);
  });
});
