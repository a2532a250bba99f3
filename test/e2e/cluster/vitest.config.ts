import { defineConfig } from 'vitest/config';

// Each file has a control plane of its own, and all of them are at the same addresses: one after another.
export default defineConfig({
  test: {
    root: new URL('../../..', import.meta.url).pathname,
    include: ['test/e2e/cluster/**/*.test.ts'],
    cache: false,
    fileParallelism: false,
    // What a test waits for has a limit of its own, and is named when it is not reached; this is for what hangs.
    testTimeout: 400_000,
    hookTimeout: 180_000,
  },
});
