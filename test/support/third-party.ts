/* oxlint-disable vitest/no-conditional-tests, vitest/expect-expect -- it defines tests, or one that says it is none */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'vitest';

/** Other projects' test data lie beside the repository and are never part of it. */
const BESIDE = new URL('../../../shared/vectors/third-party', import.meta.url).pathname;

/** A file of theirs, which may not be there: read it within {@link withThirdParty}. */
export const thirdPartyPath = (...parts: readonly string[]): string => join(BESIDE, ...parts);

/**
 * Defines tests over one of their tables. Where it is not there, what stands in the report is that they did not run: no
 * check is made, and none is claimed.
 */
export const withThirdParty = <T>(parts: readonly string[], define: (table: T) => void): void => {
  const path = thirdPartyPath(...parts);
  if (existsSync(path)) define(JSON.parse(readFileSync(path, 'utf8')) as T);
  else it(`NOT RUN: ${parts.join('/')} is not beside this repository`, (context) => context.skip());
};
