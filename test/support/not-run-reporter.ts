import type { Reporter } from 'vitest/node';

/** Names at the end what did not run, and says why: in a long report of what passed, a number is overlooked. */
export const notRunReporter: Reporter = {
  onTestRunEnd(modules) {
    const skipped = modules.flatMap((module) => [...module.children.allTests('skipped')]);
    const names = new Set(skipped.map(({ name }) => name));
    if (names.size > 0) console.log(`\n${[...names].join('\n')}\n`);
  },
};
