import { describe, expect, it } from 'vitest';

import { isTrustedOrigin } from '../../src/domain/access.ts';

const OPTIONS = {
  publicUrl: 'https://sso.example.com/under/a/path',
  allowedOrigins: ['https://app.example.net', 'null'],
};

describe('a request that changes something', () => {
  it.each([
    ['https://sso.example.com', undefined, true],
    ['https://sso.example.com', 'same-origin', true],
    ['https://sso.example.com', 'none', true],
    ['https://sso.example.com', 'cross-site', false],
    ['https://app.example.net', undefined, true],
    ['https://app.example.net', 'cross-site', true],
    [undefined, 'same-origin', true],
    [undefined, undefined, false],
    [undefined, 'none', false],
    [undefined, 'same-site', false],
    [undefined, 'cross-site', false],
    ['null', undefined, false],
    ['null', 'same-origin', false],
    ['', 'same-origin', false],
    ['https://evil.example', undefined, false],
    ['https://evil.example', 'same-origin', false],
    ['http://sso.example.com', undefined, false],
    ['https://sso.example.com:444', undefined, false],
    ['https://sso.example.com:443', undefined, false],
    ['https://SSO.example.com', undefined, false],
    ['https://sso.example.com.', undefined, false],
    ['https://sso.example.com/', undefined, false],
    ['https://sso.example.com.evil.example', undefined, false],
    ['https://app.example.net, https://evil.example', undefined, false],
  ])('with Origin %s and Sec-Fetch-Site %s: %s', (origin, site, trusted) => {
    expect(isTrustedOrigin({ origin, fetchSite: site }, OPTIONS)).toBe(trusted);
  });
});
