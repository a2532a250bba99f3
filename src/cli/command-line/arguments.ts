import { parseArgs } from 'node:util';
import { type Command, type Flag, type Flags, UsageError } from './command.ts';
import { suggest } from './suggest.ts';

const HELP: Flag = { name: 'help', short: 'h', help: 'print this help' };

/** The flags of a command, including `--help`. */
export const flagsOf = ({ flags }: Command): readonly Flag[] => [...flags, HELP];

export interface ParsedArguments {
  readonly flags: Flags;
  readonly operands: readonly string[];
}

const createFlags = (values: ReadonlyMap<string, readonly string[]>): Flags => ({
  has: (name) => values.has(name),
  text: (name) => values.get(name)?.at(-1),
  list: (name) => values.get(name) ?? [],
});

const optionsFor = (flags: readonly Flag[]) =>
  Object.fromEntries(
    flags.map(({ name, short, value }) => [
      name,
      {
        type: value === undefined ? 'boolean' : 'string',
        multiple: true,
        ...(short === undefined ? {} : { short }),
      } as const,
    ]),
  );

/**
 * Parses the arguments after a command's name: `--flag value`, `--flag=value`, `-f value`, `--` before operands that
 * begin with a dash. A flag without a value also takes `=true` and `=false`, because scripts written for cosign use them.
 * Throws `UsageError`.
 */
export const parseArguments = (command: Command, argv: readonly string[]): ParsedArguments => {
  const accepted = flagsOf(command);
  checkDashes(argv, accepted);
  const options = {
    args: [...argv],
    options: optionsFor(accepted),
    strict: false,
    allowPositionals: true,
    tokens: true,
  } as const;
  const values = new Map<string, string[]>();
  const operands: string[] = [];
  for (const token of parseArgs(options).tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const flag = accepted.find(({ name }) => name === token.name);
    if (flag === undefined) throw new UsageError(unknownFlag(token.rawName, accepted));
    const value = flagValue(flag, token);
    if (value === undefined) continue;
    if (flag.repeatable !== true && values.has(flag.name))
      throw new UsageError(`--${flag.name} is given more than once`);
    values.set(flag.name, [...(values.get(flag.name) ?? []), value]);
  }
  return { flags: createFlags(values), operands };
};

/** Refuses `-key`: it would be read as `-k -e -y`, or as the short flag `-k` with a value. Throws `UsageError`. */
const checkDashes = (argv: readonly string[], accepted: readonly Flag[]): void => {
  for (const argument of argv) {
    if (argument === '--') return;
    const [, name] = /^-([a-z][a-z-]+)(?:=|$)/.exec(argument) ?? [];
    if (name !== undefined && accepted.some((flag) => flag.name === name))
      throw new UsageError(`unknown flag -${name}: flags of more than one letter have two dashes, --${name}`);
  }
};

const unknownFlag = (rawName: string, accepted: readonly Flag[]): string =>
  `unknown flag ${rawName}.${suggest(
    rawName,
    accepted.map(({ name }) => `--${name}`),
  )}`;

interface Token {
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

/** The value of a flag without a value; undefined for `--flag=false`, which means the same as leaving it out. */
const switchValue = (name: string, { value, inlineValue }: Token): string | undefined => {
  if (inlineValue !== true || value === 'true') return '';
  if (value === 'false') return undefined;
  throw new UsageError(`--${name} takes no value`);
};

const flagValue = ({ name, value: placeholder }: Flag, token: Token): string | undefined => {
  if (placeholder === undefined) return switchValue(name, token);
  const { value, inlineValue } = token;
  // If the value was forgotten, the next flag must not be taken for it.
  if (value === undefined || (inlineValue !== true && /^-./.test(value)))
    throw new UsageError(`--${name} needs a value: --${name} ${placeholder}`);
  return value;
};

/** Throws `UsageError` if there are more operands than the command takes. */
export const checkOperands = ({ maxOperands, usage }: Command, operands: readonly string[]): void => {
  const surplus = operands[maxOperands];
  if (surplus !== undefined)
    throw new UsageError(`unexpected argument ${JSON.stringify(surplus)}; usage: sailmark ${usage}`);
};

/** The value of a flag that takes one of `choices`; the first is the default. Throws `UsageError`. */
export const parseChoice = <Choice extends string>(
  flags: Flags,
  name: string,
  choices: readonly [Choice, ...Choice[]],
): Choice => {
  const text = flags.text(name) ?? choices[0];
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined)
    throw new UsageError(`--${name} must be one of ${choices.join(', ')}, got ${JSON.stringify(text)}`);
  return choice;
};
