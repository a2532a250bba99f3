import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/chart/**/*.test.ts'],
    cache: false,
    // Both limits are for what hangs. Hooks run Helm and start servers, as tests do.
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
