import type { HttpResponse } from './http/http-message.ts';

/** One resource of a repository: `istio/pilot` and `manifests/1.28.0`. */
export interface Resource {
  readonly path: string;
  readonly resource: string;
}

export interface RegistryRequest {
  readonly method: 'GET' | 'HEAD';
  /** The path below `/v2/<path>/`: `manifests/1.28.0`. */
  readonly resource: string;
  readonly accept?: string;
  /** Maximum bytes of the response's body. */
  readonly limit: number;
  /** True if the registry need not support the resource; a response that says so is then returned, with its body. */
  readonly mayBeUnsupported?: boolean;
}

/**
 * Sends a request to the registry of a repository: authorized, counted, limited. Resolves with undefined for 404 to a GET, else
 * with a response of status 200, one that rejects HEAD, or the response to a resource that the registry does not support.
 * `next` returns the request to send if that response does not suffice, in the same slot: other namespaces may wait for
 * both, and must not wait in the line of this one in between.
 */
export type SendToRegistry = (
  request: RegistryRequest,
  signal: AbortSignal,
  next?: (response: HttpResponse) => RegistryRequest | undefined,
) => Promise<HttpResponse | undefined>;
