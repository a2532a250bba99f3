import type { HttpResponse } from './http/transport.ts';

export interface RegistryRequest {
  readonly method: 'GET' | 'HEAD';
  /** Below `/v2/<path>/`: `manifests/1.28.0`. */
  readonly resource: string;
  readonly accept?: string;
  readonly limit: number;
  /** Whether the registry need not know such a resource; an answer that says so then comes back, with what it says. */
  readonly mayBeUnsupported?: boolean;
}

/**
 * Asks the registry of a repository: authorised, counted, limited. Undefined is 404; every other answer has status 200,
 * but for a HEAD (405, 501) and a resource that the registry does not know.
 */
export type SendToRegistry = (
  question: RegistryRequest,
  signal: AbortSignal,
) => Promise<HttpResponse | undefined>;
