/** Command lines, of which the last word is completed, and what is offered; every shell that is tried offers these. */
export const COMPLETIONS: readonly (readonly [line: readonly string[], offered: readonly string[]])[] = [
  [['sailmark', 'rev'], ['review']],
  [['sailmark', 'ev'], ['evidence']],
  [
    ['sailmark', 'evidence', ''],
    ['list', 'pull'],
  ],
  [['sailmark', 'evidence', 'pull', '--off'], ['--offline']],
  [['sailmark', 'review', '--exit'], ['--exit-zero']],
  [
    ['sailmark', 'review', '--output', ''],
    ['github', 'json', 'junit', 'sarif', 'text'],
  ],
  [['sailmark', 'review', '--mode', 'en'], ['enforce']],
  [['sailmark', 'explain', 'signature-m'], ['signature-missing']],
  [
    ['sailmark', 'completion', ''],
    ['bash', 'fish', 'zsh'],
  ],
  [['sailmark', 'version', '--out'], []],
];
