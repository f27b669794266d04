/** Owns trying the page of the browser's example in Chromium: fills its form in, and reads what it has done. */
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import type { AddressInfo } from 'node:net';

import { launchChromium } from '../test-browser/launch-chromium.ts';
import { ROOT } from './run-commands.ts';

const BUILT = join(ROOT, 'examples', 'browser', 'dist');
const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' };

export interface Page {
  /** For the server to allow. */
  readonly origin: string;
  /** Resolves to what the page shows when it is done. */
  readonly run: (environment: Readonly<Record<string, string>>) => Promise<string>;
  readonly stop: () => Promise<void>;
}

/** Serves what Vite has built, on an origin of its own. */
export async function servePage(): Promise<Page> {
  const server = createServer(({ url = '/' }, response) => {
    const path = join(BUILT, normalize(url === '/' ? '/index.html' : url));
    response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream');
    createReadStream(path)
      .on('error', () => response.writeHead(404).end())
      .pipe(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    async run({ CLAIMGATE_URL = '', CLAIMGATE_TOKEN = '' }) {
      const browser = await launchChromium();
      try {
        const page = await browser.newPage();
        await page.goto(origin);
        await page.getByLabel('Server').fill(CLAIMGATE_URL);
        await page.getByLabel('Token').fill(CLAIMGATE_TOKEN);
        await page.getByRole('button').click();
        return (await page.locator('output.done').textContent()) ?? '';
      } finally {
        await browser.close();
      }
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
