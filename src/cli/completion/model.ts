import { flagsOf } from '../command-line/arguments.ts';
import type { Command, Flag } from '../command-line/command.ts';

/** A command of the table, whose flags are loaded when they are needed. */
export interface CommandEntry {
  /** One word, or two: `evidence pull`. */
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

/** The values of a flag that a shell offers. */
export type Values =
  | { readonly kind: 'file' | 'text' | 'none' }
  | { readonly kind: 'words'; readonly words: readonly string[] };

export interface CompletedFlag {
  readonly name: string;
  readonly short: string | undefined;
  readonly help: string;
  readonly values: Values;
}

export interface CompletedCommand {
  readonly words: readonly string[];
  readonly summary: string;
  readonly flags: readonly CompletedFlag[];
  /** Operands to choose from. */
  readonly operands: readonly string[];
}

const CHOICES = /^[a-z][a-z\d-]*(?:\|[a-z][a-z\d-]*)+$/;

/** The meaning of a value's placeholder: `text|json`, `FILE`, `NAME`. */
const valuesOf = ({ value }: Flag): Values => {
  if (value === undefined) return { kind: 'none' };
  if (CHOICES.test(value)) return { kind: 'words', words: value.split('|') };
  return { kind: /FILE|DIR/.test(value) ? 'file' : 'text' };
};

/** The beginning of a help text, for a list in a terminal. Quotes and brackets would need escapes in one shell or another. */
const briefly = (help: string): string =>
  (help.split(/[:;(]/, 1)[0] ?? '').replaceAll(/[^\w ,.-]/g, '').trim();

/** Loads every command of the table. */
export const completedCommands = async (
  entries: readonly CommandEntry[],
): Promise<readonly CompletedCommand[]> => {
  const commands: CompletedCommand[] = [];
  for (const { name, summary, load } of entries) {
    const { command } = await load();
    commands.push({
      words: name.split(' '),
      summary: briefly(summary),
      flags: flagsOf(command).map((flag) => ({
        name: flag.name,
        short: flag.short,
        help: briefly(flag.help),
        values: valuesOf(flag),
      })),
      operands: command.operands ?? [],
    });
  }
  return commands;
};

/** The second words of the commands of two words, by the first. */
export const groupsOf = (
  commands: readonly CompletedCommand[],
): ReadonlyMap<string, readonly CompletedCommand[]> =>
  Map.groupBy(
    commands.filter(({ words }) => words.length > 1),
    ({ words: [first = ''] }) => first,
  );

/** The first words, each once, with what it is. */
export const firstWords = (commands: readonly CompletedCommand[]): ReadonlyMap<string, string> =>
  new Map(
    commands.map(({ words: [first = '', second], summary }) => [
      first,
      second === undefined ? summary : `${first} ${second} and others`,
    ]),
  );
