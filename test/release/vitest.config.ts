import { defineConfig } from 'vitest/config';
import { notRunReporter } from '../support/not-run-reporter.ts';

export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/release/**/*.test.ts'],
    globalSetup: ['test/release/release.ts'],
    // Tests of tampering change what the registry holds.
    fileParallelism: false,
    cache: false,
    reporters: ['default', notRunReporter],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
