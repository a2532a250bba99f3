import { type Config, loadConfig } from '../../config/index.ts';
import { type Flag, type Flags, UsageError } from '../command-line/command.ts';
import { readFile } from '../shared/input.ts';

/** `--config`, of the commands that do nothing without it. */
export const configFlag: Flag = {
  name: 'config',
  value: 'FILE',
  help: 'the configuration (apiVersion sailmark.dev/v1alpha1)',
};

/** The configuration that `--config` names. Rejects with `UsageError` or `ConfigError`. */
export const readConfigFile = async (flags: Flags, command: string): Promise<Config> => {
  const path = flags.text('config');
  if (path === undefined) throw new UsageError(`--config is missing: sailmark ${command} --config FILE`);
  return loadConfig({ path, readFile });
};
