import { type CompletedCommand, type CompletedFlag, firstWords, groupsOf } from './model.ts';

const optionsOf = ({ name, short }: CompletedFlag): readonly string[] => [
  `--${name}`,
  ...(short === undefined ? [] : [`-${short}`]),
];

const valueCases = ({ words, flags }: CompletedCommand): readonly string[] =>
  flags.flatMap((flag) => {
    const pattern = optionsOf(flag)
      .map((option) => `'${words.join(' ')} ${option}'`)
      .join('|');
    const { values } = flag;
    if (values.kind === 'none') return [];
    if (values.kind === 'words') return [`    ${pattern}) words='${values.words.join(' ')}'; value=1 ;;`];
    return [`    ${pattern}) ${values.kind === 'file' ? 'files=1; ' : ''}value=1 ;;`];
  });

const commandCase = ({ words, flags, operands }: CompletedCommand): string =>
  `    '${words.join(' ')}') flags='${flags.flatMap(optionsOf).join(' ')}'; operands='${operands.join(' ')}' ;;`;

/**
 * Returns the script for bash 3.2 and later. Words of a command line and names of files are never evaluated; the words that
 * `compgen -W` expands are this program's own.
 */
export const toBash = (commands: readonly CompletedCommand[]): string => {
  const groups = [...groupsOf(commands)].map(
    ([first, members]) =>
      `    ${first})
      if [ "$COMP_CWORD" -eq 2 ]; then words='${members.map(({ words }) => words[1]).join(' ')}'; value=1
      else command="$command \${COMP_WORDS[2]}"; fi ;;`,
  );
  return `# bash completion of sailmark
_sailmark() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}
  local words='' flags='' operands='' files='' value='' line
  COMPREPLY=()
  # bash splits --flag=value into three words.
  if [ "$cur" = '=' ]; then cur=''
  elif [ "$prev" = '=' ]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  if [ "$COMP_CWORD" -eq 1 ]; then words='${[...firstWords(commands).keys(), 'help'].join(' ')}'; value=1; fi
  case "$command" in
${groups.join('\n')}
  esac
  case "$command" in
${commands.map(commandCase).join('\n')}
  esac
  if [ -z "$value" ]; then case "$command $prev" in
${commands.flatMap(valueCases).join('\n')}
  esac; fi
  if [ -z "$value" ]; then
    case "$cur" in
      -*) words=$flags ;;
      *) words=$operands ;;
    esac
  fi
  if [ -n "$files" ]; then
    type compopt >/dev/null 2>&1 && compopt -o filenames 2>/dev/null
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$cur")
  else
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -W "$words" -- "$cur")
  fi
}
complete -F _sailmark sailmark
`;
};
