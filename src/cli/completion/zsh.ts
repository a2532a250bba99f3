import { type CompletedCommand, type CompletedFlag, firstWords, groupsOf, type Values } from './model.ts';

const actionOf = (values: Values): string => {
  if (values.kind === 'none') return '';
  if (values.kind === 'words') return `:value:(${values.words.join(' ')})`;
  return values.kind === 'file' ? ':file:_files' : ':value:';
};

/** Help texts hold no quote, bracket or colon, which would need escapes here. */
const specOf = ({ name, short, help, values }: CompletedFlag): string => {
  const after = `[${help}]${actionOf(values)}`;
  return short === undefined ? `'*--${name}${after}'` : `'*'{-${short},--${name}}'${after}'`;
};

const commandCase = ({ words, flags, operands }: CompletedCommand): string => {
  const rest = operands.length === 0 ? `'*:argument:'` : `'1:argument:(${operands.join(' ')})'`;
  return `    '${words.join(' ')}')
      _arguments -s ${[...flags.map(specOf), rest].join(' \\\n        ')} ;;`;
};

const describe = (label: string, items: Iterable<readonly [word: string, what: string]>): string =>
  `local -a items; items=(${[...items].map(([word, what]) => `'${word}:${what}'`).join(' ')}); _describe ${label} items`;

/** Returns the script for zsh, to be sourced or to lie in a directory of \`fpath\`. */
export const toZsh = (commands: readonly CompletedCommand[]): string => {
  const groups = [...groupsOf(commands)].map(
    ([first, members]) =>
      `    ${first})
      if (( CURRENT == 3 )); then ${describe(
        'subcommand',
        members.map(({ words, summary }) => [words[1] ?? '', summary] as const),
      )}; return; fi
      command="$command $words[3]"; skip=2 ;;`,
  );
  return `#compdef sailmark
_sailmark() {
  local command=$words[2] skip=1
  if (( CURRENT == 2 )); then
    ${describe('command', firstWords(commands))}
    return
  fi
  case "$command" in
${groups.join('\n')}
  esac
  shift $skip words
  (( CURRENT -= skip ))
  case "$command" in
${commands.map(commandCase).join('\n')}
  esac
}
if [ "$funcstack[1]" = _sailmark ]; then _sailmark "$@"; else compdef _sailmark sailmark; fi
`;
};
