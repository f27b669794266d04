import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { resolveReturnTo } from '../../src/domain/return-to.ts';

const OPTIONS = {
  publicUrl: 'https://sso.example.com/under',
  allowedOrigins: [
    'https://app.example.net',
    'http://localhost:3000',
    'https://[2001:db8::1]:8443',
  ],
};

const OWN = 'https://sso.example.com';
const APP = 'https://app.example.net';

const resolve = (returnTo: string): string | undefined => resolveReturnTo(returnTo, OPTIONS);

describe('resolveReturnTo', () => {
  it.each([
    ['/', `${OWN}/`],
    ['', `${OWN}/under`],
    ['/a?b=c#d', `${OWN}/a?b=c#d`],
    ['inbox', `${OWN}/inbox`],
    ['?x=1', `${OWN}/under?x=1`],
    ['../../..', `${OWN}/`],
    [OWN, `${OWN}/`],
    [`${APP}/inbox?of=me#top`, `${APP}/inbox?of=me#top`],
    [`${APP}:443/`, `${APP}/`],
    ['HTTPS://APP.EXAMPLE.NET/Inbox', `${APP}/Inbox`],
    ['https:app.example.net', `${OWN}/app.example.net`],
    ['https:/app.example.net', `${OWN}/app.example.net`],
    ['https:\\\\app.example.net', `${APP}/`],
    ['//app.example.net/x', `${APP}/x`],
    ['http://localhost:3000/x', 'http://localhost:3000/x'],
    ['https://[2001:DB8:0::1]:8443/', 'https://[2001:db8::1]:8443/'],
    ['/%2f%2fevil.example', `${OWN}/%2f%2fevil.example`],
    ['%2f%2fevil.example', `${OWN}/%2f%2fevil.example`],
    ['/%09/evil.example', `${OWN}/%09/evil.example`],
    ['/.//evil.example', `${OWN}//evil.example`],
    [`${APP}/https://evil.example`, `${APP}/https://evil.example`],
    [`${APP}/?next=//evil.example`, `${APP}/?next=//evil.example`],
    ['https:evil.example/../..//evil.example', `${OWN}//evil.example`],
    ['https:\\evil.example', `${OWN}/evil.example`],
    ['null', `${OWN}/null`],
    ['/\u202Eevil', `${OWN}/%E2%80%AEevil`],
  ])('%j leads to %j', (returnTo, target) => {
    expect(resolve(returnTo)).toBe(target);
  });

  it.each([
    '//evil.example',
    '///evil.example',
    '////evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '\\/evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '\t//evil.example',
    ' //evil.example ',
    '\u0000//evil.example',
    'https:///evil.example',
    'http:evil.example',
    'http:/evil.example',
    'ht\ntps://evil.example',
    'https://evil.example',
    'HTTPS://EVIL.EXAMPLE',
    'https://sso.example.com@evil.example',
    'https://app.example.net@evil.example/',
    'https://app.example.net:443@evil.example/',
    'https://evil.example\\@app.example.net',
    'https://evil.example#@app.example.net',
    'https://evil.example?@app.example.net',
    'https://evil.example/@app.example.net',
    'https://user@app.example.net',
    'https://user:password@app.example.net',
    'https://:password@app.example.net',
    '//evil@sso.example.com/',
    'https://app.example.net:444',
    'https://app.example.net:80',
    'http://app.example.net',
    'http://app.example.net:443',
    'https://localhost:3000',
    'http://localhost:3001',
    'http://localhost',
    'https://app.example.net.',
    'https://app.example.net.evil.example',
    'https://xapp.example.net',
    'https://sub.app.example.net',
    'https://app.example.net%2eevil.example',
    'https://app.example.net%00.evil.example',
    'https://app.example.net%2f@evil.example',
    'https://app。example。net。evil.example',
    'https://аpp.example.net',
    'https://[2001:db8::1]/',
    'https://[2001:db8::2]:8443/',
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'java\nscript:alert(1)',
    'javascript://app.example.net/%0aalert(1)',
    'data:text/html,<script>',
    'vbscript:x',
    'file:///etc/passwd',
    'ftp://app.example.net/',
    'ws://app.example.net/',
    'blob:https://app.example.net/1',
    'filesystem:https://app.example.net/1',
    'about:blank',
    'intent://app.example.net#Intent;end',
    'https://',
    'https://%',
    '//',
  ])('%j leads nowhere', (returnTo) => {
    expect(resolve(returnTo)).toBeUndefined();
  });

  it('reads a full-width dot as browsers do, and judges the result', () => {
    expect(resolve('https://app。example。net/')).toBe(`${APP}/`);
  });

  it('never leaves the allowed origins, with any text', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '/',
        '\\',
        ':',
        '@',
        '#',
        '?',
        '%2f',
        '\t',
        '\n',
        '.',
        '//',
        'https:',
        'http:',
      ),
      fc.constantFrom(
        'evil.example',
        'app.example.net',
        'sso.example.com',
        'javascript:',
        ' ',
        '\0',
      ),
      fc.string({ unit: 'binary', maxLength: 4 }),
    );
    const allowed = [OWN, ...OPTIONS.allowedOrigins];
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const target = resolve(pieces.join(''));
        if (target === undefined) return;
        const url = new URL(target);
        expect(allowed).toContain(url.origin);
        expect([url.username, url.password]).toEqual(['', '']);
        // A browser that reads it again goes to the same place, from whatever page.
        expect(new URL(target, 'https://evil.example').href).toBe(target);
        // It fits into a header (RFC 9110 §5.5).
        expect(target).toMatch(/^[\x21-\x7e]+$/);
      }),
      { numRuns: 2000 },
    );
  });
});
