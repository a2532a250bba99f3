import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMPLETIONS } from '../support/completion-shells.ts';
import { runCli } from '../support/run-cli.ts';

let directory: string;
let script: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sailmark-completion-'));
  script = join(directory, 'completion');
  writeFileSync(script, (await runCli(['completion', 'bash'])).stdout);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The words that bash offers for the last of a line, split as bash splits it. */
const completeIn = (words: readonly string[]): readonly string[] => {
  const lines = [
    `source ${quote(script)}`,
    `COMP_WORDS=(${words.map(quote).join(' ')}); COMP_CWORD=${words.length - 1}`,
    `_sailmark; [ -z "$COMPREPLY" ] || printf '%s\\n' "\${COMPREPLY[@]}"`,
  ];
  const output = execFileSync('bash', ['--norc', '-c', lines.join('\n')], {
    cwd: directory,
    encoding: 'utf8',
  });
  return output
    .split('\n')
    .filter((line) => line !== '')
    .toSorted();
};

describe('completion', () => {
  it('refuses a shell that it has no script for, and none', async () => {
    expect((await runCli(['completion', 'tcsh'])).stderr).toContain('unknown shell "tcsh"');
    expect((await runCli(['completion'])).code).toBe(1);
  });

  it('offers every command of the program first', async () => {
    const { stdout } = await runCli(['--help']);
    const names = [...stdout.matchAll(/^ {2}([a-z-]+)(?: [a-z]+)? {2,}/gm)].map(([, name = '']) => name);
    expect(completeIn(['sailmark', ''])).toEqual(
      [...new Set([...names, 'help'])].toSorted((left, right) => (left < right ? -1 : 1)),
    );
  });
});

describe('in bash', () => {
  it.each(COMPLETIONS)('%j is completed', (words, offered) => {
    expect(completeIn(words)).toEqual(offered);
  });

  it('a value behind an equals sign is completed, which bash takes for a word', () => {
    expect(completeIn(['sailmark', 'review', '--output', '='])).toContain('sarif');
    expect(completeIn(['sailmark', 'review', '--output', '=', 'ju'])).toEqual(['junit']);
  });

  it('files are completed for -f, and a name that looks like a command is only text', () => {
    const hostile = '$(touch injected) `touch injected`; touch injected';
    for (const name of [hostile, 'two words.yaml', '*.yaml']) writeFileSync(join(directory, name), '');
    expect(completeIn(['sailmark', 'review', '-f', ''])).toEqual(
      ['completion', hostile, 'two words.yaml', '*.yaml'].toSorted(),
    );
    expect(completeIn(['sailmark', 'review', '-f', 'two'])).toEqual(['two words.yaml']);
    expect(completeIn(['sailmark', 'explain', '$(touch injected)'])).toEqual([]);
    expect(completeIn(['sailmark', '$(touch injected)', '-f', ''])).toEqual([]);
    expect(completeIn(['sailmark', 'review', '-f', 'injected'])).toEqual([]);
  });
});
