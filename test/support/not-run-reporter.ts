import type { Reporter } from 'vitest/node';

/**
 * Says at the end what could not run and why, as the tests' own names do (`NOT RUN: …`): in a long report of what
 * passed, a number is overlooked. What a filter left out is no such thing.
 */
export const notRunReporter: Reporter = {
  onTestRunEnd(modules) {
    const tests = modules.flatMap((module) => [...module.children.allTests('skipped')]);
    const names = new Set(tests.map(({ name }) => name).filter((name) => name.startsWith('NOT RUN: ')));
    if (names.size > 0) console.log(`\n${[...names].join('\n')}\n`);
  },
};
