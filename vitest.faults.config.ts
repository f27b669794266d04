import { defineConfig } from 'vitest/config';

/** What breaks servers and fills disks, one at a time: `npm run test:faults`. */
export default defineConfig({
  test: {
    include: ['test-faults/**/*.test.ts'],
    testTimeout: 120_000,
    // A machine that is busy for a moment is no reason to turn a change away; the report names who needed it.
    retry: process.env['CI'] === undefined ? 0 : 1,
    hookTimeout: 60_000,
    fileParallelism: false,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  },
});
