import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { escapeText, html, renderHtml } from '../../src/login/html.ts';

describe('html', () => {
  it.each([
    ['<script>', '&lt;script&gt;'],
    ['"><img src=x>', '&quot;&gt;&lt;img src=x&gt;'],
    ["' autofocus onfocus='", '&#39; autofocus onfocus=&#39;'],
    ['&lt;', '&amp;lt;'],
    ['\0', '\uFFFD'],
    ['\uD800', '\uFFFD'],
    ['Zoë 🚀 <', 'Zoë 🚀 &lt;'],
  ])('escapes %j', (given, expected) => {
    expect(escapeText(given)).toBe(expected);
    expect(renderHtml(html`<p>${given}</p>`)).toBe(`<p>${expected}</p>`);
  });

  it('leaves HTML of its own, lists of it, and nothing for what is absent', () => {
    const items = ['a', '<b>'].map((item) => html`<i>${item}</i>`);
    const none: readonly [] = [];
    expect(renderHtml(html`[${items}|${undefined}|${false}|${0}|${none}]`)).toBe(
      '[<i>a</i><i>&lt;b&gt;</i>|||0|]',
    );
  });

  it('takes an object that looks like HTML from elsewhere for nothing', () => {
    const forged = JSON.parse('{"markup":"<script>"}');
    expect(renderHtml(html`<p>${forged}</p>`)).not.toContain('<script');
  });

  it('lets no text out of its place', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(escapeText(text)).not.toMatch(/[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/);
      }),
    );
  });
});
