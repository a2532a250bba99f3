import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const REPOSITORY = new URL('../..', import.meta.url).pathname;

/** A file of this repository's own test data. */
export const fixturePath = (...parts: readonly string[]): string =>
  join(REPOSITORY, 'test/fixtures', ...parts);

export const readFixture = <T>(...parts: readonly string[]): T =>
  JSON.parse(readFileSync(fixturePath(...parts), 'utf8')) as T;

/**
 * Other projects' test data lie beside the repository (`../shared/vectors/third-party`) and are never part of it.
 * Returns the parsed table, or undefined where it is not there.
 */
const readThirdParty = <T>(...parts: readonly string[]): T | undefined => {
  const path = join(REPOSITORY, '../shared/vectors/third-party', ...parts);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as T) : undefined;
};

/** Defines tests over such a table, or says on the terminal that they did not run. */
export const withThirdParty = <T>(parts: readonly string[], define: (table: T) => void): void => {
  const table = readThirdParty<T>(...parts);
  if (table === undefined)
    console.warn(`NOT RUN: tests over ${parts.join('/')}, which is not beside this repository`);
  else define(table);
};
