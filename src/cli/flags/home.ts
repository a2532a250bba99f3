import { homedir } from 'node:os';
import type { Io } from '../command-line/command.ts';

/** The home of a user that the system does not know, as container engines have it. */
const NO_HOME = '/';

/** Returns the user's home: `$HOME`, or what the system says of the user, which in a container may be nothing. */
export const homeOf = ({ env }: Pick<Io, 'env'>): string => {
  const named = env['HOME'];
  if (named !== undefined) return named;
  try {
    return homedir();
  } catch {
    return NO_HOME;
  }
};
