import { type Command, UsageError } from '../command-line/command.ts';
import { toBash } from './bash.ts';
import { toFish } from './fish.ts';
import { type CommandEntry, completedCommands } from './model.ts';
import { toZsh } from './zsh.ts';

const SCRIPTS = { bash: toBash, zsh: toZsh, fish: toFish } as const;
const SHELLS = Object.keys(SCRIPTS);

const isShell = (text: string | undefined): text is keyof typeof SCRIPTS =>
  text !== undefined && SHELLS.includes(text);

/** Creates the command for the table of commands that it completes, which imports this file. */
export const createCommand = (entries: readonly CommandEntry[]): Command => ({
  usage: `completion ${SHELLS.join('|')}`,
  description:
    'Prints a script that completes commands, flags, their choices, reasons and file names in a shell. To have it in every shell:\nbash: write it to ~/.local/share/bash-completion/completions/sailmark, or source it in ~/.bashrc.\nzsh: write it to _sailmark in a directory of $fpath, before compinit is called, or source it after that.\nfish: write it to ~/.config/fish/completions/sailmark.fish.',
  flags: [],
  examples: ['sailmark completion bash', 'sailmark completion zsh', 'sailmark completion fish'],
  maxOperands: 1,
  operands: SHELLS,
  run: async (_flags, [shell], io) => {
    if (!isShell(shell)) {
      const got = shell === undefined ? 'name a shell' : `unknown shell ${JSON.stringify(shell)}`;
      throw new UsageError(`${got}: sailmark completion ${SHELLS.join('|')}`);
    }
    io.stdout.write(SCRIPTS[shell](await completedCommands(entries)));
    return 0;
  },
});
