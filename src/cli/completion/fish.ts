import { type CompletedCommand, type CompletedFlag, firstWords, groupsOf } from './model.ts';

const flagLine = (condition: string, { name, short, help, values }: CompletedFlag): string =>
  [
    `complete -c sailmark -n '${condition}'`,
    ...(short === undefined ? [] : [`-s ${short}`]),
    `-l ${name}`,
    ...(values.kind === 'none' ? [] : [values.kind === 'file' ? '-r -F' : '-x']),
    ...(values.kind === 'words' ? [`-a '${values.words.join(' ')}'`] : []),
    `-d '${help}'`,
  ].join(' ');

const wordLine = (condition: string, word: string, what: string): string =>
  `complete -c sailmark -n '${condition}' -a ${word} -d '${what}'`;

const commandLines = ({ words, flags, operands }: CompletedCommand): readonly string[] => {
  const condition = `__sailmark_on ${words.join(' ')}`;
  return [
    ...flags.map((flag) => flagLine(condition, flag)),
    ...(operands.length === 0 ? [] : [`complete -c sailmark -n '${condition}' -a '${operands.join(' ')}'`]),
  ];
};

/** Returns the script for fish. */
export const toFish = (commands: readonly CompletedCommand[]): string => `# fish completion of sailmark
function __sailmark_words
  test (count (commandline -opc)) -eq $argv[1]
end
function __sailmark_on
  set -l words (commandline -opc)
  set -e words[1]
  for word in $argv
    test "$words[1]" = $word; or return 1
    set -e words[1]
  end
end
complete -c sailmark -f
${[
  ...[...firstWords(commands)].map(([word, what]) => wordLine('__sailmark_words 1', word, what)),
  ...[...groupsOf(commands)].flatMap(([first, members]) =>
    members.map(({ words, summary }) =>
      wordLine(`__sailmark_words 2; and __sailmark_on ${first}`, words[1] ?? '', summary),
    ),
  ),
  ...commands.flatMap(commandLines),
].join('\n')}
`;
