import { flagsOf } from './arguments.ts';
import type { Command, Flag } from './command.ts';

/** Columns. */
const WIDTH = 80;

/** Breaks text into lines of at most `width` columns, each indented by `indent`. */
export const wrap = (text: string, indent: string, width = WIDTH): string =>
  text
    .split('\n')
    .flatMap((paragraph) => {
      const lines = [''];
      for (const word of paragraph.split(' ')) {
        const line = lines.at(-1) ?? '';
        if (line !== '' && indent.length + line.length + 1 + word.length > width) lines.push(word);
        else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
      }
      return lines;
    })
    .map((line) => `${indent}${line}`.trimEnd())
    .join('\n');

const flagHead = ({ name, short, value }: Flag): string =>
  `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;

const describeFlag = (flag: Flag): string => {
  const repeat = flag.repeatable === true ? ' (may be repeated)' : '';
  return `  ${flagHead(flag)}\n${wrap(`${flag.help}${repeat}`, '          ')}`;
};

const COMMON_CODES = [
  [0, 'all verified or allowed'],
  [1, 'usage or configuration error, or any error not listed'],
] as const;

/** Returns the help of one command. */
export const describeCommand = (command: Command): string => {
  const { usage, description, examples, exitCodes } = command;
  const codes = exitCodes === undefined ? [] : [...COMMON_CODES, ...exitCodes];
  return [
    `Usage: sailmark ${usage}\n`,
    `${wrap(description, '')}\n`,
    `Flags:\n${flagsOf(command).map(describeFlag).join('\n')}\n`,
    ...(examples.length === 0
      ? []
      : [`Examples:\n${examples.map((example) => `  ${example}`).join('\n')}\n`]),
    ...(codes.length === 0
      ? []
      : [
          `Exit codes:\n${codes.map(([code, meaning]) => `  ${String(code).padStart(2)}  ${meaning}`).join('\n')}\n`,
        ]),
  ].join('\n');
};

interface Summary {
  readonly name: string;
  readonly summary: string;
}

const listCommands = (commands: readonly Summary[]): string => {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2;
  return `Commands:\n${commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`).join('\n')}\n`;
};

/** Returns the help of the commands that begin with the same word. */
export const describeGroup = (group: string, commands: readonly Summary[]): string =>
  [
    `Usage: sailmark ${group} COMMAND [flags]\n`,
    listCommands(commands),
    `Run \`sailmark ${group} COMMAND --help\` for the flags of a command.\n`,
  ].join('\n');

/** Returns the help of the program. */
export const describeProgram = (commands: readonly Summary[]): string => {
  return [
    'sailmark lets a pod start only when every Istio image in it is signed by a trusted key.\n',
    'Usage: sailmark COMMAND [flags]\n',
    listCommands(commands),
    'Run `sailmark COMMAND --help` for the flags of a command.\nResults go to standard output, everything else to standard error.\n',
  ].join('\n');
};
