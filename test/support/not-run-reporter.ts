import type { Reporter } from 'vitest/node';

/**
 * Lists the tests that could not run at the end, by their own names (`NOT RUN: …`), because the number of skipped
 * tests is easily overlooked in a long report. Tests that a filter left out are not listed.
 */
export const notRunReporter: Reporter = {
  onTestRunEnd(modules) {
    const tests = modules.flatMap((module) => [...module.children.allTests('skipped')]);
    const names = new Set(tests.map(({ name }) => name).filter((name) => name.startsWith('NOT RUN: ')));
    if (names.size > 0) console.log(`\n${[...names].join('\n')}\n`);
  },
};
