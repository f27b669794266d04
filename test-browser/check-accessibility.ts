// Owns the question to axe-core: is there anything that keeps people from using a page? In light and in dark, since
// contrast differs.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const SOURCE = await readFile(
  createRequire(import.meta.url).resolve('axe-core/axe.min.js'),
  'utf8',
);

/** Popovers and dialogs stand outside of the landmarks. */
const OPTIONS = JSON.stringify({ rules: { region: { enabled: false } } });

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string | null;
    readonly help: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

/** What axe-core finds wrong, one line each; whatever the impact. */
export async function findBarriers(tab: Page): Promise<readonly string[]> {
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await tab.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await tab.evaluate(SOURCE);
    const results: AxeResults = await tab.evaluate(`axe.run(document, ${OPTIONS})`);
    for (const { id, impact, help, nodes } of results.violations) {
      const where = nodes.map(({ html }) => html).join(' | ');
      found.push(`${colorScheme}: ${id} (${impact ?? 'none'}): ${help}: ${where}`);
    }
  }
  await tab.emulateMedia({ colorScheme: null, reducedMotion: null });
  return found;
}

/** Whether something sticks out to the right on the narrowest of phones (WCAG 2.2 §1.4.10). */
export async function sticksOut(tab: Page): Promise<boolean> {
  const size = tab.viewportSize();
  await tab.setViewportSize({ width: 320, height: 640 });
  const widths: { scroll: number; client: number } = await tab.evaluate(
    '({ scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth })',
  );
  if (size !== null) await tab.setViewportSize(size);
  return widths.scroll > widths.client;
}
