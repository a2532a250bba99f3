import { describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';

const COMMANDS = [
  'verify',
  'review',
  'scan',
  'serve',
  'keys',
  'check-config',
  'explain',
  'completion',
  'version',
];

describe('a command line that is wrong', () => {
  it.each([
    [['verfy'], 'unknown command "verfy". Did you mean verify?'],
    [['scan'], 'no kubeconfig'],
    [['scan', '--output', 'xml'], '--output must be one of text, json, html, sarif, junit, got "xml"'],
    [['evidence'], 'evidence needs a subcommand: use sailmark evidence pull or sailmark evidence list.'],
    [['evidence', 'pul', 'x'], 'evidence has no subcommand "pul"'],
    [['evidence', 'pull', 'x'], '--output is missing'],
    [['evidence', 'list'], 'no directory given'],
    [['help', 'evidence', 'x'], 'evidence has no subcommand "x"'],
    [['verify', '-key', 'x.pub', 'y'], 'flags of more than one letter have two dashes, --key'],
    [['verify', '-output=json', 'y'], 'flags of more than one letter have two dashes, --output'],
    [
      ['verify', '--offline', '--evidence', '/nonexistent/evidence', 'x'],
      '--evidence /nonexistent/evidence: there is no such directory',
    ],
    [['verify', '--evidence', '/dev', 'x'], '--evidence /dev: is no OCI image layout: it has no index.json'],
    [
      ['verify', '--evidence', '/dev/null', 'x'],
      '--evidence /dev/null: is a file, and must be the directory',
    ],
    [
      ['verify', '--local-image', '/dev/null'],
      '/dev/null is a file, and must be the directory of an OCI image layout; unpack',
    ],
    [['match-conditons'], 'Did you mean match-conditions?'],
    [['match-conditions', '--output', 'text'], '--output must be one of yaml, json, got "text"'],
    [['verify', '--ouput', 'json', 'x'], 'unknown flag --ouput. Did you mean --output?'],
    [['verify', '-x', 'x'], 'unknown flag -x.'],
    [
      ['verify', '--trusted-root', '/nonexistent/root', 'x'],
      '--trusted-root has no effect while the log is ignored',
    ],
    [
      ['verify', '--transparency-log', 'require', '--trusted-root', '/nonexistent/root', 'x'],
      '--trusted-root cannot be read',
    ],
    [['verify', '--local-image', '/nonexistent/image'], '--local-image: /nonexistent/image was not found'],
    [['verify', '--offline', 'x'], '--offline reads evidence only, and none is configured'],
    [['verify', '--key'], '--key needs a value: --key FILE|URL[#sha256=HEX]'],
    [['verify', '--timeout', '--output', 'json', 'x'], '--timeout needs a value'],
    [['verify', '--timeout', '1s', '--timeout', '2s', 'x'], '--timeout is given more than once'],
    [['verify', '--allow-http-registry=yes', 'x'], '--allow-http-registry takes no value'],
    [['verify'], 'no image given'],
    [['verify', '--output', 'yaml', 'x'], '--output must be one of text, json, cosign, got "yaml"'],
    [
      ['verify', '--timeout', 'soon', 'x'],
      '--timeout must be a duration such as 30s or 2m, at most 24h, got "soon"',
    ],
    [['verify', '--timeout', '0s', 'x'], 'at most 24h, got "0s"'],
    [['verify', '--timeout', '25h', 'x'], 'at most 24h, got "25h"'],
    [['verify', '--timeout', '-f', 'x'], '--timeout needs a value'],
    [
      ['verify', '--transparency-log', 'sometimes', 'x'],
      '--transparency-log must be one of ignore, require, got "sometimes"',
    ],
    [
      ['verify', '--transparency-log', 'require', '--insecure-ignore-tlog', 'x'],
      '--transparency-log require and --insecure-ignore-tlog contradict each other',
    ],
    [['verify', '--key', 'http://example.com/key.pub', 'x'], 'must be an https URL, or a file'],
    [
      ['verify', '--key', 'https://example.com/key.pub#sha256=00', 'x'],
      'the pin must be #sha256= and 64 hexadecimal digits',
    ],
    [['verify', '-f', '/nonexistent/list'], 'cannot read /nonexistent/list'],
    [['verify', '--config', '/nonexistent/config', 'x'], 'cannot read /nonexistent/config'],
    [['verify', '--ca-file', '/nonexistent/ca', 'x'], '/nonexistent/ca'],
    [['review'], 'no manifest given'],
    [['review', '--mode', 'block', '-f', '-'], '--mode must be one of enforce, warn, audit, got "block"'],
    [
      ['review', '--output', 'html', '-f', '-'],
      '--output must be one of text, json, sarif, junit, github, got "html"',
    ],
    [['review', '-f', 'one.yaml', 'other.yaml'], 'unexpected argument "other.yaml"; usage: sailmark review'],
    [['keys', '--output', 'junit'], '--output must be one of text, json, got "junit"'],
    [['help', 'verfy'], 'unknown command "verfy". Did you mean verify?'],
    [['verify-blb', 'x'], 'Did you mean verify-blob?'],
    [['--ouput'], 'unknown command "--ouput".'],
    [['serve'], '--config is missing'],
    [['check-config'], '--config is missing'],
    [['version', 'now'], 'unexpected argument "now"; usage: sailmark version'],
  ] as const)('%j ends with 1 and says what is wrong', async (argv, message) => {
    const { code, stdout, stderr } = await runCli(argv);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^Error: /);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it('that is empty prints how to use the program, on standard error', async () => {
    const { code, stdout, stderr } = await runCli([]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('Usage: sailmark COMMAND');
  });
});

describe('the help', () => {
  it.each(['--help', '-h', 'help'])('of the program (%s) lists every command', async (flag) => {
    const { code, stdout } = await runCli([flag]);
    expect(code).toBe(0);
    expect(COMMANDS.filter((name) => !new RegExp(`^  ${name} `, 'm').test(stdout))).toEqual([]);
  });

  it.each(COMMANDS)('of %s is the same by --help and by help', async (name) => {
    const [byFlag, byCommand] = [await runCli([name, '--help']), await runCli(['help', name])];
    expect(byFlag).toEqual(byCommand);
    expect(byFlag.code).toBe(0);
    expect(byFlag.stdout).toMatch(new RegExp(`^Usage: sailmark ${name}`));
  });

  it('version is also --version', async () => {
    const [command, flag] = [await runCli(['version']), await runCli(['--version'])];
    expect(command).toEqual(flag);
    expect(command.stdout).toMatch(/^sailmark \d+\.\d+\.\d+\nnode {5}v\d+/);
  });
});
