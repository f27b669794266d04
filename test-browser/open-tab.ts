// Owns what a person has in front of them: tabs of one browser profile, and what the browser complains of in them.
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';

export interface Person {
  readonly context: BrowserContext;
  /** In the same profile: tabs share cookies. */
  readonly openTab: () => Promise<Page>;
  /**
   * What the browser's console and the pages' scripts have complained of, such as a violated security policy. Refusals
   * that a page is answered with are told by their status, and are no complaint.
   */
  readonly complaints: readonly string[];
}

/** A profile without a past. Ends with the test. */
export async function startPerson(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<Person> {
  const context = await browser.newContext(options);
  onTestFinished(() => context.close());
  const complaints: string[] = [];
  context.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return;
    if (
      /^Failed to load resource: the server responded with a status of 4\d\d /.test(message.text())
    )
      return;
    complaints.push(`${message.location().url}: ${message.text()}`);
  });
  context.on('weberror', (error) => complaints.push(String(error.error())));
  return { context, openTab: () => context.newPage(), complaints };
}
