import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  clearCookie,
  readCookie,
  readSessionToken,
  selectCookieNames,
  writeCookie,
} from '../../src/domain/browser-cookies.ts';
import type { CookieNames } from '../../src/domain/browser-cookies.ts';

const SECRET = 'aZ0-_'.padEnd(43, 'x');
const TOKEN = `cgses_${SECRET}`;

function select(publicUrl: string): CookieNames {
  const names = selectCookieNames(publicUrl);
  if (names === undefined) throw new Error('No cookies for this URL.');
  return names;
}

const secure = select('https://sso.example.com');

describe('cookie names', () => {
  it.each([
    ['https://sso.example.com', '__Host-claimgate-session'],
    ['https://localhost', '__Host-claimgate-session'],
    ['https://example.com/sso', '__Host-claimgate-session'],
    ['http://localhost:8080', 'claimgate-session'],
    ['http://127.0.0.1', 'claimgate-session'],
    ['http://[::1]:8080', 'claimgate-session'],
    ['http://sso.example.com', undefined],
    ['http://localhost.example.com', undefined],
    ['http://127.0.0.2', undefined],
    ['http://192.168.0.1', undefined],
    ['http://[::2]', undefined],
  ])('for %s: %s', (publicUrl, session) => {
    expect(selectCookieNames(publicUrl)?.session).toBe(session);
  });
});

describe('a written cookie', () => {
  it('has every attribute that keeps it to us', () => {
    expect(writeCookie(secure, 'session', TOKEN, 90_999)).toBe(
      `__Host-claimgate-session=${TOKEN}; Path=/; Max-Age=90; HttpOnly; SameSite=Lax; Secure`,
    );
    expect(writeCookie(select('http://localhost'), 'login', SECRET, 1000)).toBe(
      `claimgate-login=${SECRET}; Path=/; Max-Age=1; HttpOnly; SameSite=Lax`,
    );
    expect(clearCookie(secure, 'login')).toBe(
      '__Host-claimgate-login=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure',
    );
  });
});

describe('a read cookie', () => {
  const ours = `__Host-claimgate-session=${TOKEN}`;
  it.each([
    [undefined, undefined],
    ['', undefined],
    [ours, TOKEN],
    [`a=b; ${ours}; c=d`, TOKEN],
    [`a=b;${ours};c=d`, TOKEN],
    [`;;${ours};`, TOKEN],
    [`\t${ours} `, TOKEN],
    [`${ours}; ${ours}`, undefined],
    [`${ours}; __Host-claimgate-session=`, undefined],
    [`__Host-claimgate-session=; ${ours}`, undefined],
    [`${ours}x`, undefined],
    [ours.slice(0, -1), undefined],
    [`__Host-claimgate-session="${TOKEN}"`, undefined],
    [`__Host-claimgate-session= ${TOKEN}`, undefined],
    [`__Host-claimgate-session =${TOKEN}`, undefined],
    [`__host-claimgate-session=${TOKEN}`, undefined],
    [`claimgate-session=${TOKEN}`, undefined],
    [`x__Host-claimgate-session=${TOKEN}`, undefined],
    [`__Host-claimgate-session=${SECRET}`, undefined],
    [`\u00A0${ours}`, undefined],
    [`a="x; ${ours}"`, undefined],
  ])('%j is %j', (header, value) => {
    expect(readCookie(header, secure, 'session')).toBe(value);
    expect(readSessionToken(header, 'https://sso.example.com')).toBe(value);
  });

  it('is none where nobody may sign in', () => {
    const header = `claimgate-session=${TOKEN}`;
    expect(readSessionToken(header, 'http://localhost')).toBe(TOKEN);
    expect(readSessionToken(header, 'http://sso.example.com')).toBeUndefined();
  });

  it('is what was written, or nothing, whatever stands beside it', () => {
    const header = fc.array(fc.oneof(fc.string(), fc.constant(ours)), { maxLength: 6 });
    fc.assert(
      fc.property(header, (pairs) => {
        const isAlone = pairs.filter((pair) => pair.includes(ours)).length === 1;
        const possible = isAlone ? [undefined, TOKEN] : [undefined];
        expect(possible).toContain(readCookie(pairs.join('; '), secure, 'session'));
      }),
    );
  });
});

it('of as many blanks as a header can hold, and more, is read in one go', () => {
  const blanks = ' '.repeat(1_000_000);
  const cookie = `${secure.session}=${TOKEN}`;
  expect(readCookie(`a${blanks}b;${blanks}${cookie}${blanks}`, secure, 'session')).toBe(TOKEN);
});
