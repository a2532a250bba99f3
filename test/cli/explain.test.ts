import { describe, expect, it } from 'vitest';
import { exampleReasons } from '../../src/cli/explain/example-reasons.ts';
import { exitCodeOf } from '../../src/cli/shared/exit-codes.ts';
import { reasonCodes, reasonTable } from '../../src/policy/index.ts';
import { plainText, rules } from '../../src/report/index.ts';
import { runCli } from '../support/run-cli.ts';

const unwrapped = (text: string): string => text.replaceAll(/\n {0,2}(?=\S)/g, ' ');

describe('explain', () => {
  it('refuses a reason that there is none of, and names the nearest', async () => {
    const { code, stdout, stderr } = await runCli(['explain', 'signature-mising']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('unknown reason "signature-mising". Did you mean signature-missing?');
    expect((await runCli(['explain', '__proto__'])).code).toBe(1);
  });

  it.each(reasonCodes)(
    'says what the page says of %s, its exit code, and what a refusal says',
    async (code) => {
      const { code: exitCode, stdout, stderr } = await runCli(['explain', code]);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      const text = unwrapped(stdout);
      expect(text).toContain(`Meaning: ${plainText(reasonTable[code].meaning)}`);
      expect(text).toContain(`What to do: ${plainText(reasonTable[code].remedy)}`);
      expect(text).toContain(`Exit code: ${exitCodeOf(code)} (`);
      expect(text).toContain(`(${code}); `);
      expect(exampleReasons[code].code).toBe(code);
      expect(stdout).not.toMatch(/\]\(|undefined/);
    },
  );

  it('lists all in one line each, the most serious reason first, without an operand', async () => {
    const { stdout } = await runCli(['explain']);
    expect(stdout.trimEnd().split('\n')).toEqual(
      rules.map(({ code, meaning }) => `${code.padEnd(30)}${plainText(meaning)}`),
    );
  });

  it('explains the codes that only reports have', async () => {
    const { code, stdout } = await runCli(['explain', 'not-judged']);
    expect(code).toBe(0);
    expect(stdout).toContain('Only a report of review or scan has this code.');
  });
});
