import { defineConfig } from 'vitest/config';
import { notRunReporter } from '../../support/not-run-reporter.ts';

export default defineConfig({
  test: {
    root: new URL('../../..', import.meta.url).pathname,
    include: ['test/ship/downloads/**/*.test.ts'],
    cache: false,
    reporters: ['default', notRunReporter],
    // An archive is compressed for half a minute, and qemu takes ten times as long as a processor.
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
});
