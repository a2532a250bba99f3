import { defineConfig } from 'vitest/config';
import { notRunReporter } from './support/not-run-reporter.ts';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    exclude: [
      'test/chart/**',
      'test/e2e/**',
      'test/health/**',
      'test/page/**',
      'test/release/**',
      'test/ship/downloads/**',
    ],
    cache: false,
    reporters: ['default', notRunReporter],
    // Both limits are for what hangs. Hooks build the bundle and start processes, as tests do.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    restoreMocks: true,
  },
});
