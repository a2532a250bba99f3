import { defineConfig } from 'vitest/config';

// Each file has a control plane of its own, and all of them are at the same addresses: one after another.
export default defineConfig({
  test: {
    root: new URL('../../..', import.meta.url).pathname,
    include: ['test/e2e/cluster/**/*.test.ts'],
    cache: false,
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
});
