import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { exitCodeOf, exitCodes } from '../src/cli/shared/exit-codes.ts';
import { formatQuantity, limitTable } from '../src/config/index.ts';
import { explain, reasonCodes } from '../src/policy/index.ts';
import { runCli } from './support/terminal.ts';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const README = read('README.md');

/** The rows of the first table below a heading, as their cells; code marks are left out. */
const rowsBelow = (heading: string, text = README): readonly (readonly string[])[] => {
  const section = text.slice(text.indexOf(`\n## ${heading}\n`) + 1).split('\n## ', 1)[0] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .slice(2, -2)
        .split(' | ')
        .map((cell) => cell.replace(/^`([^`]*)`$/, '$1')),
    );
};

describe('the README', () => {
  it('lists every reason with its exit code, the most serious first, and no other', () => {
    expect(rowsBelow('Reasons').map(([code, , exitCode]) => [code, exitCode])).toEqual(
      reasonCodes.map((code) => [code, String(exitCodeOf(code))]),
    );
  });

  it('lists every limit with its default and what happens at it, and no other', () => {
    expect(rowsBelow('Limits')).toEqual(
      limitTable.map(({ name, default: value, unit, effect }) => [
        name,
        String(formatQuantity(value, unit)),
        effect,
      ]),
    );
  });

  it('lists every command, and no other', async () => {
    const { stdout } = await runCli(['--help']);
    const commands = [...stdout.matchAll(/^ {2}([a-z-]+(?: [a-z]+)?) {2,}/gm)].map(([, name]) => name);
    expect(rowsBelow('Commands').map(([name]) => name)).toEqual(commands);
  });

  it('names every exit code', () => {
    const [paragraph = ''] = /Exit codes, cosign's[\s\S]*?\n\n/.exec(README) ?? [];
    const named = [...paragraph.matchAll(/`(\d+)`/g)].map(([, code]) => Number(code));
    expect(named).toEqual([0, 1, ...exitCodes.map(([code]) => code)]);
  });

  it('quotes a refusal as it is', () => {
    const refusal = explain(
      { code: 'signature-missing' },
      {
        image: 'registry.corp.example/istio/proxyv2:1.28.1',
        path: 'spec.initContainers[1].image',
        name: 'istio-proxy',
        kind: 'init-container',
      },
    );
    expect(README).toContain(`denied the request: ${refusal}\n`);
  });
});

describe('the map in src/', () => {
  it('gives every runtime dependency a reason, and no other', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
    const listed = rowsBelow('Runtime dependencies', read('src/README.md')).map(([name]) => name);
    expect(new Set(listed)).toEqual(new Set(Object.keys(dependencies)));
  });
});
