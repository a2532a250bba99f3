import type { Caller, HttpResponse } from '../http/http-message.ts';
import { SourceFault } from '../source.ts';
import { waitForShared } from '../wait-for-shared.ts';
import type { Authorization } from './authorization.ts';

/** Sends one request with this `Authorization` header; undefined: without one. */
export type SendWithHeader = (header: string | undefined) => Promise<HttpResponse>;

/**
 * Sends a request until it is neither 401 nor 403: with the cached token, then as the challenge requires, with a fresh
 * token, and with each further set of credentials that matches the repository. Returns the last refusal if none is left to try.
 */
export const sendAuthorized = async (
  { registry, path }: { readonly registry: string; readonly path: string },
  authorization: Authorization,
  send: SendWithHeader,
  caller: Caller,
): Promise<HttpResponse> => {
  if (caller.signal.aborted)
    throw new SourceFault('deadline', `no time was left to send a request to ${registry}`, { asked: false });
  const headers = authorization.headersToTry(path, caller);
  let header = await waitForShared(headers.next(), caller, registry);
  for (;;) {
    const response = await send(header.value ?? undefined);
    // Nothing is learned from a host that the registry only redirected to.
    if (response.by === 'backend' || (response.status !== 401 && response.status !== 403)) return response;
    header = await waitForShared(headers.next(response), caller, registry);
    if (header.done === true) return response;
  }
};
