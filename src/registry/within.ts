import { SourceFault } from './source.ts';
import type { Asker } from './transport.ts';

/**
 * Waits for work that others share no longer than this caller may; the work goes on for the others. `asked`: whether the
 * work is this caller's question too.
 */
export const within = async <T>(
  work: Promise<T>,
  { signal }: Pick<Asker, 'signal'>,
  registry: string,
  asked = true,
): Promise<T> => {
  const { promise, reject } = Promise.withResolvers<never>();
  const leave = (): void =>
    reject(new SourceFault('deadline', `${registry} did not answer in time`, { asked }));
  if (signal.aborted) leave();
  signal.addEventListener('abort', leave, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', leave));
};
