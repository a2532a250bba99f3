import { parseProxy, type RegistriesOptions } from '../../registry/index.ts';
import { CommandError, type Io } from '../command-line/command.ts';

/**
 * Reads from the environment how registries are reached: the proxies, and the environment of credential programs.
 * Throws `CommandError` if a proxy is invalid: a connection that bypasses it is not what the user configured.
 */
export const parseNetwork = ({ env }: Io): Pick<RegistriesOptions, 'proxy' | 'environment'> => {
  const { proxy, problems } = parseProxy(env);
  if (problems.length > 0) throw new CommandError(problems.join('\n'));
  return { proxy, environment: env };
};
