import { defineConfig } from 'vitest/config';

// Each file starts a control plane of its own at the same addresses, so they run one after another.
export default defineConfig({
  test: {
    root: new URL('../../..', import.meta.url).pathname,
    include: ['test/e2e/cluster/**/*.test.ts'],
    cache: false,
    fileParallelism: false,
    // Whatever a test waits for has a limit and an error message of its own. These limits are for what hangs.
    testTimeout: 400_000,
    hookTimeout: 180_000,
  },
});
