import { describe, expect, it } from 'vitest';
import { toGithub } from '../../src/report/index.ts';
import { finding, HOSTILE, hostileReport, report, reportedCase } from '../support/example-report.ts';

interface Command {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly message: string;
}

/** Undoes the escapes as the runner does (actions/runner, `ActionCommand.cs`). */
const unescapeData = (text: string): string =>
  text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
const unescapeProperty = (text: string): string =>
  unescapeData(text.replaceAll('%3A', ':').replaceAll('%2C', ','));

/** Reads a line as the runner does: `::name properties::message` after blanks, or else `##[name properties]` anywhere. */
const parseLine = (line: string): Command | undefined => {
  const found = /^\s*::([^:]*?)(?: ([\s\S]*?))?::([\s\S]*)$/.exec(line);
  if (found !== null) {
    const [, name = '', properties = '', message = ''] = found;
    const pairs = properties.split(',').map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), unescapeProperty(pair.slice(at + 1))];
    });
    return { name, properties: Object.fromEntries(pairs), message: unescapeData(message) };
  }
  return line.includes('##[') ? { name: 'v1', properties: {}, message: line } : undefined;
};

const linesOf = (text: string): readonly string[] => text.trimEnd().split(/\r\n|\r|\n/);
const commandsIn = (text: string): readonly Command[] =>
  linesOf(text).flatMap((line) => parseLine(line) ?? []);

describe('a text that is hostile', () => {
  it.each(HOSTILE)('makes no command of its own, as an annotation and as a line: %s', (_name, text) => {
    const few = hostileReport(text);
    expect(commandsIn(toGithub(few)).map(({ name }) => name)).toEqual(['error', 'error', 'error']);
    for (const { properties } of commandsIn(toGithub(few)))
      expect(Object.keys(properties).filter((key) => !['file', 'line', 'title'].includes(key))).toEqual([]);
    const many = { ...few, cases: Array.from({ length: 20 }, () => few.cases).flat() };
    expect(commandsIn(toGithub(many)).map(({ name }) => name)).toEqual(Array(10).fill('error'));
  });

  it('is bounded in length and number', () => {
    const many = Array.from({ length: 5000 }, () => finding({ message: 'x'.repeat(5000) }));
    const lines = linesOf(toGithub(report(reportedCase(many))));
    expect(lines).toHaveLength(10 + 1000 + 2);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(1500);
    expect(lines.at(-2)).toBe('3990 more findings are not listed');
  });
});

describe('a finding', () => {
  it('is an annotation at its file and line, that is read as it was written', () => {
    const message = 'no signature: 100% of 2, see\nspec';
    expect(commandsIn(toGithub(report(reportedCase([finding({ message })]))))).toEqual([
      {
        name: 'error',
        properties: {
          file: 'manifests/cart.yaml',
          line: '7',
          title: 'Deployment shop/cart: signature-missing',
        },
        message: 'no signature: 100% of 2, see?spec',
      },
    ]);
  });

  it('is a warning or a notice by its level, and errors come first', () => {
    const findings = [finding({ level: 'note' }), finding({ level: 'warning' }), finding()];
    const names = commandsIn(toGithub(report(reportedCase(findings)))).map(({ name }) => name);
    expect(names).toEqual(['error', 'warning', 'notice']);
  });
});

it('the last line counts', () => {
  expect(linesOf(toGithub(report(reportedCase([finding()]), reportedCase([])))).at(-1)).toBe(
    'sailmark review: 2 checked, 1 error, 0 warnings, 0 notices',
  );
});
