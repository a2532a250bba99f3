import { describe, expect, it } from 'vitest';
import { flagsOf, parseArguments } from '../../src/cli/command-line/arguments.ts';
import type { Command } from '../../src/cli/command-line/command.ts';
import { createCommand } from '../../src/cli/completion/completion.ts';
import { runCli } from '../support/run-cli.ts';

const COMMANDS: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  verify: () => import('../../src/cli/verify/verify.ts'),
  'verify-blob': () => import('../../src/cli/verify-blob/verify-blob.ts'),
  review: () => import('../../src/cli/review/review.ts'),
  scan: () => import('../../src/cli/scan/scan.ts'),
  serve: () => import('../../src/cli/serve.ts'),
  'evidence pull': () => import('../../src/cli/evidence/pull.ts'),
  'evidence list': () => import('../../src/cli/evidence/list.ts'),
  keys: () => import('../../src/cli/keys.ts'),
  'check-config': () => import('../../src/cli/check-config.ts'),
  'match-conditions': () => import('../../src/cli/match-conditions.ts'),
  explain: () => import('../../src/cli/explain/explain.ts'),
  completion: async () => ({ command: createCommand([]) }),
  version: () => import('../../src/cli/version.ts'),
};

const EVIDENCE = ['evidence', 'offline', 'transparency-log', 'insecure-ignore-tlog', 'trusted-root'];

/** The flags of each command. They are public interface. */
const INTERFACE: Readonly<Record<string, readonly string[]>> = {
  verify: [
    'key',
    'config',
    'ca-file',
    'registry-config',
    'allow-http-registry',
    'timeout',
    'filename',
    'local-image',
    'output',
    ...EVIDENCE,
    'no-progress',
    'help',
  ],
  review: [
    'filename',
    'recursive',
    'mode',
    'namespace',
    'output',
    'exit-zero',
    'key',
    'config',
    'ca-file',
    'registry-config',
    'allow-http-registry',
    'timeout',
    ...EVIDENCE,
    'no-progress',
    'help',
  ],
  'verify-blob': ['key', 'signature', 'bundle', 'ca-file', 'no-progress', 'help'],
  'evidence pull': [
    'key',
    'config',
    'ca-file',
    'registry-config',
    'allow-http-registry',
    'timeout',
    'filename',
    'output',
    ...EVIDENCE,
    'no-progress',
    'help',
  ],
  'evidence list': ['output', 'help'],
  scan: [
    'events',
    'keep',
    'reports',
    'kubeconfig',
    'context',
    'namespace',
    'mode',
    'output',
    'fail-on',
    'key',
    'config',
    'ca-file',
    'registry-config',
    'timeout',
    ...EVIDENCE,
    'no-progress',
    'help',
  ],
  serve: ['config', 'help'],
  keys: ['key', 'config', 'ca-file', 'output', 'help'],
  'check-config': ['config', 'print-schema', 'help'],
  'match-conditions': ['config', 'output', 'help'],
  explain: ['help'],
  completion: ['help'],
  version: ['help'],
};

const listedIn = (help: string): readonly string[] =>
  [...help.matchAll(/^ {2}(?: {4}|-\w, )--([\w-]+)/gm)].map(([, name]) => name ?? '');

it('every command of the program is held to its interface here', async () => {
  const { stdout } = await runCli(['--help']);
  const names = [...stdout.matchAll(/^ {2}([a-z-]+(?: [a-z]+)?) {2,}/gm)].map(([, name]) => name ?? '');
  expect(Object.keys(COMMANDS).toSorted()).toEqual(names.toSorted());
});

describe.each(Object.entries(COMMANDS))('the help of %s', (name, load) => {
  it('lists the flags that it accepts, which are the interface’s', async () => {
    const { command } = await load();
    const { stdout } = await runCli([...name.split(' '), '--help']);
    const accepted = flagsOf(command).filter((flag) => {
      const value = flag.value === undefined ? [] : ['x'];
      return parseArguments(command, [`--${flag.name}`, ...value]).flags.has(flag.name);
    });
    expect(listedIn(stdout).toSorted()).toEqual(accepted.map((flag) => flag.name).toSorted());
    expect(listedIn(stdout).toSorted()).toEqual(INTERFACE[name]?.toSorted());
  });

  it('fits a terminal of 80 columns, but for examples', async () => {
    const { stdout } = await runCli([...name.split(' '), '--help']);
    const [text = ''] = stdout.split('\nExamples:\n');
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('shows examples that parse', async () => {
    const { command } = await load();
    for (const example of command.examples) {
      const [, line = ''] = /sailmark (.*)$/.exec(example) ?? [];
      expect(`${line} `.startsWith(`${name} `)).toBe(true);
      const argv = line.slice(name.length).trim().split(' ');
      expect(() => parseArguments(command, argv)).not.toThrow();
    }
  });
});

describe('a flag', () => {
  const parse = async (...argv: readonly string[]) => {
    const { command } = await import('../../src/cli/verify/verify.ts');
    return parseArguments(command, argv);
  };

  it('takes its value behind a space or an equals sign, short or long', async () => {
    for (const argv of [['--output', 'json'], ['--output=json'], ['-o', 'json'], ['-ojson']])
      expect((await parse(...argv)).flags.text('output')).toBe('json');
  });

  it('takes a value that begins with a dash behind an equals sign, and a dash alone anywhere', async () => {
    expect((await parse('--filename=-list')).flags.text('filename')).toBe('-list');
    expect((await parse('-f', '-')).flags.text('filename')).toBe('-');
  });

  it('without a value is there by its name or =true, and is not by =false, as cosign’s are', async () => {
    const has = async (argument: string) => (await parse(argument)).flags.has('insecure-ignore-tlog');
    expect(await has('--insecure-ignore-tlog')).toBe(true);
    expect(await has('--insecure-ignore-tlog=true')).toBe(true);
    expect(await has('--insecure-ignore-tlog=false')).toBe(false);
  });

  it('may stand behind operands, and none is one behind --', async () => {
    const { flags, operands } = await parse('one', '--key', 'a', 'other', '--key', 'b', '--', '--key');
    expect({ keys: flags.list('key'), operands }).toEqual({
      keys: ['a', 'b'],
      operands: ['one', 'other', '--key'],
    });
  });
});
