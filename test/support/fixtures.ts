import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const REPOSITORY = new URL('../..', import.meta.url).pathname;

/** The path of a file in `test/fixtures`. */
export const fixturePath = (...parts: readonly string[]): string =>
  join(REPOSITORY, 'test/fixtures', ...parts);

export const readFixture = <T>(...parts: readonly string[]): T =>
  JSON.parse(readFileSync(fixturePath(...parts), 'utf8')) as T;
