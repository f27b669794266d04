import { defineConfig } from 'vitest/config';

/** What needs a browser, the system's Chromium. Named apart, because a machine may lack one. */
export default defineConfig({
  test: {
    include: ['test-browser/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  },
});
