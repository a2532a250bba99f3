import { configurationSchema, describeConfig, warningsOf } from '../config/index.ts';
import type { Command } from './command-line/command.ts';
import { configFlag, readConfigFile } from './flags/config-flag.ts';

export const command: Command = {
  usage: 'check-config --config FILE | --print-schema',
  description:
    'Prints the effective configuration, with all defaults and without secrets, or every problem with its path. Settings that are valid but deserve attention are listed as warnings on standard error. Prints the JSON Schema of the file instead with --print-schema, for editors.',
  flags: [
    configFlag,
    { name: 'print-schema', help: 'print the JSON Schema of the configuration, and check none' },
  ],
  examples: ['sailmark check-config --config sailmark.yaml', 'sailmark check-config --print-schema'],
  maxOperands: 0,
  async run(flags, _operands, io) {
    if (flags.has('print-schema')) {
      io.stdout.write(`${JSON.stringify(configurationSchema, null, 2)}\n`);
      return 0;
    }
    const config = await readConfigFile(flags, 'check-config');
    for (const { path, message } of warningsOf(config, Date.now()))
      io.stderr.write(`Warning: ${path} ${message}\n`);
    io.stdout.write(describeConfig(config));
    return 0;
  },
};
