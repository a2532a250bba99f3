import { orAborted } from '../base/index.ts';
import type { Caller } from './http/transport.ts';
import { SourceFault } from './source.ts';

/**
 * Waits for work that others share no longer than this caller may; the work goes on for the others. `asked`: whether the
 * work is this caller's question too.
 */
export const waitForShared = <T>(
  work: Promise<T>,
  { signal }: Pick<Caller, 'signal'>,
  registry: string,
  asked = true,
): Promise<T> =>
  orAborted(work, signal, () => {
    throw new SourceFault('deadline', `${registry} did not answer in time`, { asked });
  });
