import { orAborted } from '../base/index.ts';
import type { Caller } from './http/http-message.ts';
import { SourceFault } from './source.ts';

/** Waits for a shared request in flight until this caller's deadline; the request goes on for the others. */
export const waitForShared = <T>(
  request: Promise<T>,
  { signal }: Pick<Caller, 'signal'>,
  registry: string,
): Promise<T> =>
  orAborted(request, signal, () => {
    throw new SourceFault('deadline', `${registry} did not respond in time`, { asked: true });
  });
