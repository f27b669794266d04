/** Owns how calls leave the console: to the server that it came from, by the browser's session. It knows no token. */
import { createClientOver } from '../client/claimgate-client.ts';
import { createClaimgateTransport } from '../client/browser.ts';
import { BASE_PATH } from './public-url.ts';

/** Checks ask an identity provider three times, each up to 10 seconds; the server ends a call after 25. */
const TIMEOUT_MS = 25_000;

/** For the hooks of connect-query. */
export const transport = createClaimgateTransport({
  baseUrl: BASE_PATH === '' ? '/' : BASE_PATH,
  timeoutMs: TIMEOUT_MS,
});

/** For what hooks do not do, such as updates in the words leave, set and clear. */
export const client = createClientOver(transport);
