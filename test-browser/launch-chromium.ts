// Owns the browser of this suite: the system's Chromium, in the background, talking to this machine alone.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

/** Without a sandbox, because containers cannot give one and all pages are ours. The rest keeps it from calling home. */
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--no-first-run',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
];

export async function launchChromium(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
  if (!existsSync(executablePath)) {
    throw new Error(
      `There is no Chromium at ${executablePath}. Install it (on Debian: apt-get install chromium), or set CHROMIUM_PATH to where yours is.`,
    );
  }
  return chromium.launch({ executablePath, args: ARGS, headless: true });
}
