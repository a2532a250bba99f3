import { describeConfig, loadConfig, warningsOf } from '../config/index.ts';
import { type Command, UsageError } from './command.ts';
import { readFile } from './read-file.ts';

export const command: Command = {
  usage: 'check-config --config FILE',
  description:
    'Prints the effective configuration, every default written out and secrets left out, or every problem with its path. What is allowed but worth knowing is told on standard error.',
  flags: [{ name: 'config', value: 'FILE', help: 'the configuration (apiVersion sailmark.dev/v1alpha1)' }],
  examples: ['sailmark check-config --config sailmark.yaml'],
  operands: { least: 0, most: 0 },
  async run(flags, _operands, io) {
    const path = flags.text('config');
    if (path === undefined) throw new UsageError('--config is missing: sailmark check-config --config FILE');
    const config = await loadConfig({ path, readFile });
    for (const warning of warningsOf(config, Date.now()))
      io.stderr.write(`Warning: ${warning.path} ${warning.message}\n`);
    io.stdout.write(describeConfig(config));
    return 0;
  },
};
