/**
 * Owns what all pages have in common: the document around them and the headers that keep them harmless. No page has a
 * script, an image, or anything from elsewhere.
 */
import { createHash } from 'node:crypto';

import { html, renderHtml, trustMarkup } from './html.ts';
import type { Html } from './html.ts';
import { PAGE_STYLE } from './page-style.ts';

export interface Page {
  /** Of the tab, with our name behind it. */
  readonly title: string;
  /** What stands inside `main`, its heading first. */
  readonly content: Html;
  /**
   * The page has a form that posts to us. Then its policy lets our own origin be named: under `no-referrer` browsers
   * send `Origin: null` with the form (Fetch, "append a request `Origin` header"), and we would refuse it.
   */
  readonly postsForm?: boolean;
}

export interface PagePolicy {
  readonly publicUrl: string;
  readonly returnToOrigins: readonly string[];
  readonly allowHttpIssuers: boolean;
}

/** The hash in the policy is that of the element's text to the last space, so no formatter may come near. */
const STYLE = trustMarkup(['<style>', PAGE_STYLE, '</style>'].join(''));

const STYLE_HASH = `sha256-${createHash('sha256').update(PAGE_STYLE).digest('base64')}`;

export function renderPage({ title, content }: Page): string {
  return renderHtml(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="robots" content="noindex" />
          <title>${title} – Claimgate</title>
          ${STYLE}
        </head>
        <body>
          <main>${content}</main>
        </body>
      </html> `,
  );
}

export function createPageHeaders(page: Page, policy: PagePolicy): Record<string, string> {
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': createContentSecurityPolicy(policy),
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': page.postsForm === true ? 'same-origin' : 'no-referrer',
    'cache-control': 'no-store',
  };
}

/**
 * Content Security Policy Level 3. Chromium holds redirects after a form to `form-action` too (w3c/webappsec-csp
 * issue 8), so it has to allow wherever a login leads: us under our public name, the identity provider, and the
 * product's page.
 */
function createContentSecurityPolicy(policy: PagePolicy): string {
  const { publicUrl, returnToOrigins, allowHttpIssuers } = policy;
  const formTargets = new Set([
    "'self'",
    'https:',
    ...(allowHttpIssuers ? ['http:'] : []),
    ...[new URL(publicUrl).origin, ...returnToOrigins].filter((origin) =>
      origin.startsWith('http:'),
    ),
  ]);
  return [
    "default-src 'none'",
    `style-src '${STYLE_HASH}'`,
    "img-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    `form-action ${[...formTargets].join(' ')}`,
  ].join('; ');
}
