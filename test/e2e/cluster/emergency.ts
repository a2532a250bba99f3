import { commandsIn, readPage } from '../page.ts';

/*
 * Commands of pages as arguments, for tests that run each by itself.
 */

/** Splits a command as a shell does, as far as these pages need it: words, and text in single quotes. */
const wordsOf = (command: string): readonly string[] =>
  (command.replace(/\s+#.*$/, '').match(/(?:'[^']*'|[^\s'])+/g) ?? []).map((word) =>
    word.replaceAll("'", ''),
  );

/** A program and its arguments. */
export type Command = readonly string[];

/** The commands below a heading of any level, in their order. Throws if there is no such heading. */
export const commandsBelow = (path: string, heading: string): readonly Command[] => {
  const [, rest] = readPage(path).split(new RegExp(`^#+ ${heading}\\n`, 'm'));
  if (rest === undefined) throw new Error(`${path} has no heading "${heading}"`);
  return commandsIn(rest.split(/^#+ /m, 1)[0] ?? '').map(wordsOf);
};

/** The kubectl commands of docs/emergency.md as arguments, in the order of the page. */
export const emergencyCommands: readonly Command[] = commandsIn(readPage('docs/emergency.md')).map(
  (command) => wordsOf(command).slice(1),
);
