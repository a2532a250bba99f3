import { readFileSync } from 'node:fs';

/*
 * Commands as the documentation gives them, to be typed by tests.
 */

/** Splits a command as a shell does, as far as the documentation needs it: words, and text in single quotes. */
const wordsOf = (command: string): readonly string[] =>
  (command.replace(/\s+#.*$/, '').match(/(?:'[^']*'|[^\s'])+/g) ?? []).map((word) =>
    word.replaceAll("'", ''),
  );

/** A program and its arguments. */
export type Command = readonly string[];

/** The commands of a page, or of a section of it, in its order. */
export const commandsIn = (path: string, heading?: string): readonly Command[] => {
  const page = readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
  const [, rest = ''] = heading === undefined ? ['', page] : page.split(new RegExp(`^#+ ${heading}\\n`, 'm'));
  const section = heading === undefined ? rest : (rest.split(/^#+ /m, 1)[0] ?? '');
  const blocks = [...section.matchAll(/```sh\n([\s\S]*?)```/g)];
  return blocks.flatMap(([, block = '']) => block.trim().split('\n')).map(wordsOf);
};

/** The kubectl commands of docs/emergency.md as arguments, in the order of the page. */
export const emergencyCommands: readonly Command[] = commandsIn('docs/emergency.md').map((words) =>
  words.slice(1),
);
