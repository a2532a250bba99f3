import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    exclude: ['test/chart/**', 'test/e2e/**'],
    cache: false,
    testTimeout: 30_000,
    restoreMocks: true,
  },
});
