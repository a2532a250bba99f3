import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMPLETIONS } from '../support/completion-shells.ts';
import { pathOf } from './tools.ts';

/* The scripts of `completion` in real fish and zsh, unpacked from Debian's packages. Bash is in `test/cli/`. */

const home = pathOf('zsh and fish');
const main = new URL('../../dist/main.js', import.meta.url).pathname;

let directory: string;
let libraries: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sailmark-shells-'));
  const lib = join(home, 'usr/lib');
  libraries = join(lib, readdirSync(lib).find((name) => name.endsWith('-linux-gnu')) ?? '');
  for (const shell of ['fish', 'zsh'])
    writeFileSync(join(directory, shell), execFileSync(process.execPath, [main, 'completion', shell]));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const run = (program: string, argv: readonly string[]): string =>
  execFileSync(join(home, program), argv, {
    cwd: directory,
    encoding: 'utf8',
    env: { ...process.env, HOME: directory, LD_LIBRARY_PATH: libraries },
  });

/** The words that fish offers, without the descriptions beside them. */
const inFish = (words: readonly string[]): readonly string[] =>
  run('usr/bin/fish', [
    '--no-config',
    '-c',
    `source ${join(directory, 'fish')}; complete -C "${words.join(' ')}"`,
  ])
    .split('\n')
    .map((line) => line.replace(/\t.*/, ''))
    .filter((line) => line !== '')
    .toSorted();

describe('in fish', () => {
  it.each(COMPLETIONS)('%j is completed', (words, offered) => {
    expect(inFish(words)).toEqual(offered);
  });

  it('files are completed for -f', () => {
    expect(inFish(['sailmark', 'review', '-f', ''])).toEqual(['fish', 'zsh']);
  });
});

/** The line that an interactive zsh runs once a tab has completed it. */
const inZsh = (line: string): string => {
  const functions = `${home}/usr/share/zsh/functions`;
  const setUp = [
    `module_path=(${libraries}/zsh/5.9)`,
    `fpath=(${functions}/*(/) ${functions}/Completion/*(/))`,
    'autoload -U compinit',
    'compinit -D -u',
    `source ${join(directory, 'zsh')}`,
    'sailmark() { print -r -- RAN "$@" END }',
    'print -r -- REA""DY',
  ].join('; ');
  const script = `
module_path=(${libraries}/zsh/5.9)
zmodload zsh/zpty
zpty shell ${home}/bin/zsh -f -i
zpty -w shell ${JSON.stringify(setUp).replaceAll('$', '\\$')}
zpty -r -m shell ready '*READY*'
zpty -w -n shell ${JSON.stringify(line)}$'\\t\\n'
zpty -r -m shell output '*RAN*END*'
print -r -- "$output"
zpty -d shell`;
  const [, ran = ''] = /RAN (.*) END/.exec(run('bin/zsh', ['-f', '-c', script])) ?? [];
  return ran;
};

describe('in zsh', () => {
  it.each([
    ['sailmark rev', 'review'],
    ['sailmark evidence pu', 'evidence pull'],
    ['sailmark explain signature-mi', 'explain signature-missing'],
    ['sailmark completion fi', 'completion fish'],
  ])('%s is completed', (line, completed) => {
    expect(inZsh(line)).toBe(completed);
  });
});
