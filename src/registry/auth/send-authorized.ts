import type { Caller, HttpResponse } from '../http/http-message.ts';
import type { Resource } from '../registry-request.ts';
import { SourceFault } from '../source.ts';
import { waitForShared } from '../wait-for-shared.ts';
import type { Authorization } from './authorization.ts';

/** Sends one request with this `Authorization` header; undefined: without one. */
export type SendWithHeader = (header: string | undefined) => Promise<HttpResponse>;

/** Sends a request with one header after another until it is neither 401 nor 403. Returns the last refusal if none is left. */
export const sendAuthorized = async (
  { registry, ...asked }: { readonly registry: string } & Resource,
  authorization: Authorization,
  send: SendWithHeader,
  caller: Caller,
): Promise<HttpResponse> => {
  if (caller.signal.aborted)
    throw new SourceFault('deadline', `no time was left to send a request to ${registry}`, { asked: false });
  const headers = authorization.headersToTry(asked, caller);
  let header = await waitForShared(headers.next(), caller, registry);
  for (;;) {
    const response = await send(header.value ?? undefined);
    // Nothing is learned from a host that the registry only redirected to.
    if (response.by === 'backend') return response;
    header = await waitForShared(headers.next(response), caller, registry);
    if (header.done === true) return response;
  }
};
