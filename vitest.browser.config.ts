import { defineConfig } from 'vitest/config';

/** What needs a browser, the system's Chromium. Named apart, because a machine may lack one. */
export default defineConfig({
  test: {
    include: ['test-browser/**/*.test.ts'],
    testTimeout: 60_000,
    // A machine that is busy for a moment is no reason to turn a change away; the report names who needed it.
    retry: process.env['CI'] === undefined ? 0 : 1,
    hookTimeout: 60_000,
    fileParallelism: false,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  },
});
