import { readFileSync } from 'node:fs';

/** Splits a command as a shell does, as far as the documentation needs it: words, and text in single quotes. */
const wordsOf = (command: string): readonly string[] =>
  (command.replace(/\s+#.*$/, '').match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", ''));

const PAGE = readFileSync(new URL('../../../docs/emergency.md', import.meta.url), 'utf8');

/** The kubectl commands of docs/emergency.md as arguments, in the order of the page. */
export const emergencyCommands: readonly (readonly string[])[] = [...PAGE.matchAll(/```sh\n([\s\S]*?)```/g)]
  .flatMap(([, block = '']) => block.trim().split('\n'))
  .map((command) => wordsOf(command).slice(1));
