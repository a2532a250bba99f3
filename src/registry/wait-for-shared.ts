import { orAborted } from '../base/index.ts';
import type { Caller } from './http/http-message.ts';
import { SourceFault } from './source.ts';

/**
 * Waits for a shared request in flight until this caller's deadline; the request goes on for the others. `asked`: true if
 * the request is this caller's own too.
 */
export const waitForShared = <T>(
  request: Promise<T>,
  { signal }: Pick<Caller, 'signal'>,
  registry: string,
  asked = true,
): Promise<T> =>
  orAborted(request, signal, () => {
    throw new SourceFault('deadline', `${registry} did not respond in time`, { asked });
  });
