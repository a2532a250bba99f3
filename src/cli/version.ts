import type { Command } from './command-line/command.ts';
import { build } from './shared/build.ts';

export const command: Command = {
  usage: 'version',
  description: 'Prints the version, the Node.js version and the commit it was built from.',
  flags: [],
  examples: [],
  maxOperands: 0,
  run: async (_flags, _operands, io) => {
    io.stdout.write(`sailmark ${build.version}\nnode     ${build.node}\ncommit   ${build.commit}\n`);
    return 0;
  },
};
