/**
 * Breaks what a CI runner would read as a command in a log, because names of the cluster and of manifests are printed: GitHub
 * and Forgejo take a line that begins with `::`, indented or not, and `##[` at any place; Azure takes `##vso[` at any place.
 */
export const withoutCommands = (text: string): string =>
  text.replaceAll(/^([^\S\n]*):(?=:)/gm, '$1: ').replaceAll(/##(?=\[|vso\[)/g, '# #');
