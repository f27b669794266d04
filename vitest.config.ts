import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    // A machine that is busy for a moment is no reason to turn a change away; the report names who needed it.
    retry: process.env['CI'] === undefined ? 0 : 1,
    hookTimeout: 30_000,
    sequence: { shuffle: { files: true, tests: false } },
    execArgv: ['--disable-warning=ExperimentalWarning'],
  },
});
