import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/e2e/**/*.test.ts'],
    // They need a network of their own: .ci/control-plane.
    exclude: ['test/e2e/cluster/**'],
    cache: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
