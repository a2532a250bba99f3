import { parseArgs } from 'node:util';
import { type Command, type Flag, type Flags, UsageError } from './command.ts';
import { suggest } from './suggest.ts';

const HELP: Flag = { name: 'help', short: 'h', help: 'print this' };

/** The flags of a command, `--help` among them. */
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
 * Parses what stands behind a command's name: `--flag value`, `--flag=value`, `-f value`, `--` before operands that
 * begin with a dash. A flag without a value takes `=true` and `=false` too, as scripts written for cosign have it.
 * Rejects with `UsageError`.
 */
export const parseArguments = (command: Command, argv: readonly string[]): ParsedArguments => {
  const known = flagsOf(command);
  const options = {
    args: [...argv],
    options: optionsFor(known),
    strict: false,
    allowPositionals: true,
    tokens: true,
  } as const;
  const values = new Map<string, string[]>();
  const operands: string[] = [];
  for (const token of parseArgs(options).tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const flag = known.find(({ name }) => name === token.name);
    if (flag === undefined) throw new UsageError(unknownFlag(token.rawName, known));
    const value = valueOf(flag, token);
    if (value === undefined) continue;
    if (flag.repeatable !== true && values.has(flag.name))
      throw new UsageError(`--${flag.name} is given more than once`);
    values.set(flag.name, [...(values.get(flag.name) ?? []), value]);
  }
  return { flags: createFlags(values), operands };
};

const unknownFlag = (rawName: string, known: readonly Flag[]): string =>
  `unknown flag ${rawName}.${suggest(
    rawName,
    known.map(({ name }) => `--${name}`),
  )}`;

interface Token {
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

/** Undefined: `--flag=false`, which is as if it were not there. */
const switchOf = (name: string, { value, inlineValue }: Token): string | undefined => {
  if (inlineValue !== true || value === 'true') return '';
  if (value === 'false') return undefined;
  throw new UsageError(`--${name} takes no value: it is there or not`);
};

const valueOf = ({ name, value: placeholder }: Flag, token: Token): string | undefined => {
  if (placeholder === undefined) return switchOf(name, token);
  const { value, inlineValue } = token;
  // A value forgotten must not swallow the flag behind it.
  if (value === undefined || (inlineValue !== true && /^-./.test(value)))
    throw new UsageError(`--${name} needs a value: --${name} ${placeholder}`);
  return value;
};

/** Throws where there are more operands than the command takes. */
export const checkOperands = ({ maxOperands: most, usage }: Command, operands: readonly string[]): void => {
  const surplus = operands[most];
  if (surplus !== undefined)
    throw new UsageError(`${JSON.stringify(surplus)} is one argument too many: sailmark ${usage}`);
};

/** The value of a flag that knows only these, the first being its default. Throws `UsageError`. */
export const parseChoice = <Choice extends string>(
  flags: Flags,
  name: string,
  choices: readonly [Choice, ...Choice[]],
): Choice => {
  const text = flags.text(name) ?? choices[0];
  const choice = choices.find((one) => one === text);
  if (choice === undefined)
    throw new UsageError(`--${name} must be one of ${choices.join(', ')}, and is ${JSON.stringify(text)}`);
  return choice;
};
