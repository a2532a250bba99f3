import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('../', import.meta.url);

/** The text of a file of the repository; undefined if it does not exist. */
const readOf = (path: string): string | undefined => {
  const url = new URL(path, ROOT);
  return existsSync(url) ? readFileSync(url, 'utf8') : undefined;
};

/**
 * Every title in a test file: the first argument of `it`, `describe` and `test`, and of the functions that their
 * `each` returns.
 */
const titlesIn = (source: string): ReadonlySet<string> => {
  const TITLE = /(?:\b(?:it|describe|test)|\))\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/gs;
  return new Set([...source.matchAll(TITLE)].map(([, , title = '']) => title.replaceAll(/\\(.)/g, '$1')));
};

interface Actor {
  readonly name: string;
  /** The cited tests: the third cell of each row. */
  readonly shownBy: readonly string[];
}

const HEAD = '| may try | what stops it | shown by |';

/** The actors of a threat model: its headings of the third level, each with tables. */
const actorsIn = (markdown: string): readonly Actor[] => {
  const model = markdown.split('\n## Threat model\n')[1]?.split('\n## ')[0] ?? '';
  return model
    .split('\n### ')
    .slice(1)
    .map((section) => ({
      name: section.slice(0, section.indexOf('\n')),
      shownBy: section
        .split('\n')
        .filter((line) => line.startsWith('| ') && line !== HEAD)
        .map((line) => line.slice(2, -2).split(' | ')[2] ?? ''),
    }));
};

/** The problems of one citation, a file and its titles: `test/a.test.ts` “one”, “another”. */
const breachesOf = (cited: string, read: typeof readOf): readonly string[] => {
  const [, path, list] = /^`(test\/[\w./-]+\.test\.ts)` (“[^”]+”(?:, “[^”]+”)*)$/.exec(cited) ?? [];
  if (path === undefined || list === undefined) return [`cites no test: ${cited}`];
  const source = read(path);
  if (source === undefined) return [`there is no ${path}`];
  const titles = titlesIn(source);
  return list
    .slice(1, -1)
    .split('”, “')
    .filter((title) => !titles.has(title))
    .map((title) => `${path} has no test “${title}”`);
};

const findBreaches = (markdown: string, read = readOf): readonly string[] =>
  actorsIn(markdown).flatMap(({ name, shownBy }) =>
    shownBy.length === 0
      ? [`nothing is said of: ${name}`]
      : shownBy.flatMap((cell) => cell.split(/(?<=”); (?=`)/).flatMap((cited) => breachesOf(cited, read))),
  );

const modelOf = (...cells: readonly string[]): string =>
  `# Security\n\n## Threat model\n\nWho may try what.\n\n### Who knocks\n\n${HEAD}\n|---|---|---|\n${cells
    .map((cell) => `| this | that | ${cell} |\n`)
    .join('')}\n## Out of reach\n\n### Nobody\n`;

describe('the threat model', () => {
  it('cites tests that are there, by their own titles', () => {
    expect(findBreaches(readOf('SECURITY.md') ?? '')).toEqual([]);
  });

  it('speaks of everybody who may try something', () => {
    expect(actorsIn(readOf('SECURITY.md') ?? '').map(({ name }) => name)).toEqual([
      'Pod authors',
      'Writers of a mirror or registry',
      'Operators of a registry, a token realm or the network in between',
      'Clients that can reach the webhook’s port',
      'Users who may label or create namespaces',
      'Holders of an old or stolen key',
      'Writers of evidence',
      'Writers of the ConfigMaps in which replicas share evidence',
      'Those whose text and objects the scan in the cluster meets',
      'Authors of manifests that `sailmark review` reads',
      'Authors of the configuration',
      'A node',
      'Readers of log, metrics and Events',
      'Our release and its dependencies',
    ]);
  });
});

describe('the check of a threat model', () => {
  const TESTS = `describe.each(ROWS)('at %s', () => {\n  it('refuses', f);\n  it.each([\n    ['row'],\n  ])(\n    "isn't", f);\n});`;
  const read = (path: string): string | undefined => (path === 'test/door.test.ts' ? TESTS : undefined);

  it.each([
    [
      'a title that no test has',
      '`test/door.test.ts` “accepts”',
      ['test/door.test.ts has no test “accepts”'],
    ],
    [
      'one such title among others',
      '`test/door.test.ts` “refuses”, “accepts”, “at %s”',
      ['test/door.test.ts has no test “accepts”'],
    ],
    ['a piece of a title', '`test/door.test.ts` “refuse”', ['test/door.test.ts has no test “refuse”']],
    ['what is no title', '`test/door.test.ts` “row”', ['test/door.test.ts has no test “row”']],
    ['a file that is not there', '`test/window.test.ts` “refuses”', ['there is no test/window.test.ts']],
    ['a row without a test', 'trust us', ['cites no test: trust us']],
    ['a file without a title', '`test/door.test.ts`', ['cites no test: `test/door.test.ts`']],
  ])('names %s', (_, cell, breaches) => {
    expect(findBreaches(modelOf(cell), read)).toEqual(breaches);
  });

  it('names an actor of whom nothing is said', () => {
    expect(findBreaches(modelOf(), read)).toEqual(['nothing is said of: Who knocks']);
  });

  it('has nothing against titles as they are, in every way to write them', () => {
    const cell = "`test/door.test.ts` “refuses”, “isn't”; `test/door.test.ts` “at %s”";
    expect(findBreaches(modelOf(cell), read)).toEqual([]);
  });
});
