import { parseArgs } from 'node:util';
import { type Command, type Flag, type Flags, UsageError } from './command.ts';

const HELP: Flag = { name: 'help', short: 'h', help: 'print this' };

/** The flags of a command, `--help` among them. */
export const flagsOf = ({ flags }: Command): readonly Flag[] => [...flags, HELP];

export interface Parsed {
  readonly flags: Flags;
  readonly operands: readonly string[];
}

/** ` Did you mean …?` for the nearest of the known names, or nothing. Loaded only where something is wrong. */
export const suggest = async (text: string, known: readonly string[]): Promise<string> => {
  const { closest, distance } = await import('fastest-levenshtein');
  const near = closest(text, [...known]);
  return distance(text, near) <= Math.max(2, Math.floor(text.length / 3)) ? ` Did you mean ${near}?` : '';
};

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
 * begin with a dash. Rejects with `UsageError`.
 */
export const parseArguments = async (command: Command, argv: readonly string[]): Promise<Parsed> => {
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
    if (flag === undefined) throw new UsageError(await unknownFlag(token.rawName, known));
    const value = valueOf(flag, token);
    if (flag.repeatable !== true && values.has(flag.name))
      throw new UsageError(`--${flag.name} is given more than once`);
    values.set(flag.name, [...(values.get(flag.name) ?? []), value]);
  }
  return { flags: createFlags(values), operands };
};

const unknownFlag = async (rawName: string, known: readonly Flag[]): Promise<string> =>
  `unknown flag ${rawName}.${await suggest(
    rawName,
    known.map(({ name }) => `--${name}`),
  )}`;

const valueOf = (
  flag: Flag,
  token: { readonly value?: string | undefined; readonly inlineValue?: boolean | undefined },
): string => {
  if (flag.value === undefined) {
    if (token.inlineValue === true) throw new UsageError(`--${flag.name} takes no value`);
    return '';
  }
  const { value } = token;
  if (value === undefined || (token.inlineValue !== true && value.startsWith('--')))
    throw new UsageError(`--${flag.name} needs a value: --${flag.name} ${flag.value}`);
  return value;
};

/** Throws unless there are as many operands as the command takes. */
export const checkOperands = (
  { operands: { least, most }, usage }: Command,
  operands: readonly string[],
): void => {
  if (operands.length < least) throw new UsageError(`something is missing: sailmark ${usage}`);
  const surplus = operands[most];
  if (surplus !== undefined)
    throw new UsageError(`${JSON.stringify(surplus)} is one argument too many: sailmark ${usage}`);
};
