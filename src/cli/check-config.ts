import { describeConfig, warningsOf } from '../config/index.ts';
import type { Command } from './command-line/command.ts';
import { configFlag, readConfigFile } from './flags/config-flag.ts';

export const command: Command = {
  usage: 'check-config --config FILE',
  description:
    'Prints the effective configuration, with all defaults and without secrets, or every problem with its path. Settings that are valid but deserve attention are listed as warnings on standard error.',
  flags: [configFlag],
  examples: ['sailmark check-config --config sailmark.yaml'],
  maxOperands: 0,
  async run(flags, _operands, io) {
    const config = await readConfigFile(flags, 'check-config');
    for (const { path, message } of warningsOf(config, Date.now()))
      io.stderr.write(`Warning: ${path} ${message}\n`);
    io.stdout.write(describeConfig(config));
    return 0;
  },
};
