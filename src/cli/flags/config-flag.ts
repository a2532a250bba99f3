import { type Config, loadConfig } from '../../config/index.ts';
import { type Flag, type Flags, UsageError } from '../command-line/command.ts';
import { readFile } from '../shared/input.ts';

/** The flag `--config` of the commands that require it. */
export const configFlag: Flag = {
  name: 'config',
  value: 'FILE',
  help: 'the configuration file (apiVersion sailmark.dev/v1alpha1)',
};

/** Reads the configuration file of `--config`. Rejects with `UsageError` or `ConfigError`. */
export const readConfigFile = async (flags: Flags, command: string): Promise<Config> => {
  const path = flags.text('config');
  if (path === undefined) throw new UsageError(`--config is missing: sailmark ${command} --config FILE`);
  return loadConfig({ path, readFile });
};
