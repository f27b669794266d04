import { defineConfig } from 'vitest/config';

/** What the Dockerfile, the balancer and the systemd unit do, by the programs that they are for: `npm run test:deploy`. */
export default defineConfig({
  test: {
    include: ['test-deploy/**/*.test.ts'],
    testTimeout: 600_000,
    // A machine that is busy for a moment is no reason to turn a change away; the report names who needed it.
    retry: process.env['CI'] === undefined ? 0 : 1,
    hookTimeout: 60_000,
    fileParallelism: false,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  },
});
