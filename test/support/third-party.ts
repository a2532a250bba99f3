/* oxlint-disable vitest/no-conditional-tests, vitest/expect-expect -- it defines tests, or one that says it is none */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'vitest';

/** The test data of other projects, which lie beside the repository and are never part of it. */
const BESIDE = new URL('../../../shared/vectors/third-party', import.meta.url).pathname;

/** The path of one of their files. It may not exist: read it within {@link withThirdParty}. */
export const thirdPartyPath = (...parts: readonly string[]): string => join(BESIDE, ...parts);

/**
 * Defines tests over one of their tables. If the file does not exist, the report says that the tests did not run:
 * nothing is checked, and nothing is claimed.
 */
export const withThirdParty = <T>(parts: readonly string[], define: (table: T) => void): void => {
  const path = thirdPartyPath(...parts);
  if (existsSync(path)) define(JSON.parse(readFileSync(path, 'utf8')) as T);
  else it(`NOT RUN: ${parts.join('/')} is not beside this repository`, (context) => context.skip());
};
