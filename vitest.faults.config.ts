import { defineConfig } from 'vitest/config';

/** What breaks servers and fills disks, one at a time: `npm run test:faults`. */
export default defineConfig({
  test: {
    include: ['test-faults/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  },
});
