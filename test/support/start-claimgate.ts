// Owns starting the real server for a test: in this process, on a free port, with a database in a temporary folder.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { parseConfig } from '../../src/config.ts';
import { createLogger } from '../../src/log.ts';
import { startServer } from '../../src/main.ts';

export interface StartedClaimgate {
  /** Such as `http://127.0.0.1:49152`. */
  readonly url: string;
  /** Where metrics are read, if they are on. */
  readonly metricsUrl: string | undefined;
  /** The operator's. */
  readonly token: string;
  /** The default organization. */
  readonly organizationId: string;
  /** Holds the database and its key file. */
  readonly folder: string;
  /** What has been logged so far, as JSON lines. */
  readonly readLog: () => string;
  readonly stop: () => Promise<void>;
}

/** @param environment `CLAIMGATE_*` variables; the port, the database and the operator's token are set already. */
export async function startClaimgate(
  environment: Record<string, string> = {},
): Promise<StartedClaimgate> {
  const folder = await mkdtemp(join(tmpdir(), 'claimgate-'));
  const lines: string[] = [];
  const token = environment['CLAIMGATE_BOOTSTRAP_TOKEN'] ?? 'operator-token-of-this-test';
  const config = parseConfig({
    CLAIMGATE_PORT: '0',
    CLAIMGATE_DATABASE_URL: `sqlite:${join(folder, 'claimgate.db')}`,
    CLAIMGATE_BOOTSTRAP_TOKEN: token,
    ...environment,
  });
  const server = await startServer(
    config,
    createLogger('debug', { write: (line) => void lines.push(line) }),
  );
  return {
    url: server.url,
    metricsUrl: server.metricsUrl,
    token,
    organizationId: server.bootstrapped?.organizationId ?? '',
    folder,
    readLog: () => lines.join(''),
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
