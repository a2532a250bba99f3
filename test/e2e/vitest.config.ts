import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/e2e/**/*.test.ts'],
    // .ci/control-plane runs these, in a network namespace.
    exclude: ['test/e2e/cluster/**'],
    cache: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
