import { matchConditions } from '../admission/index.ts';
import { loadConfig } from '../config/index.ts';
import { parseChoice } from './command-line/arguments.ts';
import type { Command, Flags, Io } from './command-line/command.ts';
import { readFile } from './shared/input.ts';

const OUTPUTS = ['yaml', 'json'] as const;

const print = async (flags: Flags, io: Io): Promise<number> => {
  const output = parseChoice(flags, 'output', OUTPUTS);
  const { places, rules } = await loadConfig({ path: flags.text('config'), readFile });
  const revoked = rules.revoked.map(({ digest }) => digest);
  const conditions = { matchConditions: matchConditions(places, revoked) };
  if (output === 'json') {
    const schema = 'sailmark.dev/match-conditions/v1';
    io.stdout.write(`${JSON.stringify({ schema, ...conditions }, null, 2)}\n`);
  } else {
    const { dump } = await import('js-yaml');
    io.stdout.write(dump(conditions, { lineWidth: -1 }));
  }
  return 0;
};

export const command: Command = {
  usage: 'match-conditions [flags]',
  description:
    "Prints the webhook's match conditions for a configuration, in the form of a ValidatingWebhookConfiguration, as the chart renders them. With them, the API server calls the webhook only for pods with a new or changed image that could be Istio's: on a hub or mirror, a look-alike, in a container with the name of an Istio container, or a revoked digest. If in doubt, they match.",
  flags: [
    { name: 'config', value: 'FILE', help: 'a configuration file, as for `serve`' },
    { name: 'output', short: 'o', value: OUTPUTS.join('|'), help: 'yaml (default), or json' },
  ],
  examples: ['sailmark match-conditions', 'sailmark match-conditions --config sailmark.yaml --output json'],
  maxOperands: 0,
  run: (flags, _operands, io) => print(flags, io),
};
