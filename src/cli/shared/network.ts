import { parseProxy, type RegistriesOptions } from '../../registry/index.ts';
import { CommandError, type Io } from '../command-line/command.ts';

/**
 * What the environment says of the way to registries: proxies, and what the programs that know credentials are given.
 * Throws `CommandError` where a proxy cannot be used: to go without it would be another way than was asked for.
 */
export const parseNetwork = ({ env }: Io): Pick<RegistriesOptions, 'proxy' | 'environment'> => {
  const { proxy, problems } = parseProxy(env);
  if (problems.length > 0) throw new CommandError(problems.join('\n'));
  return { proxy, environment: env };
};
