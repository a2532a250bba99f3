import type { Pause } from './circuit-breaker.ts';
import type { HttpResponse } from './http/http-message.ts';
import type { RegistryRequest } from './registry-request.ts';
import { type FaultCode, type FaultRemedy, SourceFault } from './source.ts';

/** 429, or 503 with `Retry-After`: no request should be sent until the pause is over. */
export class PauseRequested extends SourceFault {
  readonly pause: Pause;

  constructor(detail: string, pause: Pause) {
    super(pause.code, detail, { asked: true });
    this.pause = pause;
  }
}

/** 5xx without a pause: a server may fail at one request and respond to another. */
export class ServerError extends SourceFault {
  constructor(code: FaultCode, detail: string) {
    super(code, detail, { asked: true });
  }
}

const faultOf = (code: FaultCode, detail: string, remedy?: FaultRemedy): SourceFault =>
  new SourceFault(code, detail, { asked: true, remedy });

/** Throws a fault for a status that reports a temporary failure: 429 and 5xx. Only the registry itself may ask for a pause. */
export const checkResponse = (response: HttpResponse, name: string): void => {
  const { status } = response;
  if (response.by === 'backend') {
    const detail = `${name}: another host, to which it refers, responded ${status}`;
    if (status === 429) throw faultOf('backend-unavailable', detail);
    if (status >= 500) throw new ServerError('backend-unavailable', detail);
    return;
  }
  const retryAfter = response.header('retry-after');
  if (status === 429)
    throw new PauseRequested(`${name} limits the request rate (429)`, { code: 'rate-limited', retryAfter });
  if (status === 503 && retryAfter !== undefined)
    throw new PauseRequested(`${name} asked to retry later (503)`, { code: 'unavailable', retryAfter });
  if (status >= 500) throw new ServerError('unavailable', `${name} responded ${status}`);
};

/**
 * The statuses with which registries that do not support HEAD respond to one, or the stores that they redirect to, whose links
 * are signed for GET. They prove nothing of the resource.
 */
const REJECTED_HEAD: ReadonlySet<number> = new Set([400, 403, 404, 405, 406, 410, 501]);

const isRejectedHead = (status: number, { method }: RegistryRequest): boolean =>
  method === 'HEAD' && REJECTED_HEAD.has(status);

/** The statuses with which registries reject a resource of a later specification than theirs. */
const UNSUPPORTED_STATUSES: ReadonlySet<number> = new Set([400, 404, 405, 406, 501]);

const isUnsupportedResource = (status: number, { mayBeUnsupported }: RegistryRequest): boolean =>
  mayBeUnsupported === true && UNSUPPORTED_STATUSES.has(status);

/**
 * Returns the response, or undefined for 404 to a GET. A response that rejects HEAD, or a resource that the registry need not
 * support, is returned too. Throws a fault for every other status but 200.
 */
export const readStatus = (
  response: HttpResponse,
  name: string,
  request: RegistryRequest,
): HttpResponse | undefined => {
  const { status } = response;
  if (status === 200 || isRejectedHead(status, request) || isUnsupportedResource(status, request))
    return response;
  if (status === 404) return undefined;
  checkResponse(response, name);
  if (status === 401 || status === 403)
    throw faultOf('refused', `${name} refused the request (${status})`, 'access');
  throw faultOf('answer-invalid', `${name} responded ${status}`);
};
