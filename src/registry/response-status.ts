import type { Pause } from './circuit-breaker.ts';
import type { HttpResponse } from './http/transport.ts';
import type { RegistryRequest } from './registry-request.ts';
import { type FaultCode, SourceFault } from './source.ts';

/** 429, or 503 with `Retry-After`: a fault that says how long nothing more is to be asked. */
export class PauseRequested extends SourceFault {
  readonly pause: Pause;

  constructor(detail: string, pause: Pause) {
    super(pause.code, detail, { asked: true });
    this.pause = pause;
  }
}

const fault = (code: FaultCode, detail: string): SourceFault =>
  new SourceFault(code, detail, { asked: true });

/** Throws the fault of a status that says that there is no answer now: 429 and 5xx. */
export const checkResponse = (answer: HttpResponse, name: string): void => {
  const { status } = answer;
  const retryAfter = answer.header('retry-after');
  if (status === 429)
    throw new PauseRequested(`${name} limits the rate of questions (429)`, {
      code: 'rate-limited',
      retryAfter,
    });
  if (status === 503 && retryAfter !== undefined)
    throw new PauseRequested(`${name} asks for a pause (503)`, { code: 'unavailable', retryAfter });
  if (status >= 500) throw fault('unavailable', `${name} answers ${status}`);
};

/** Some registries do not know HEAD: then only GET tells (RFC 9110 §15.5.6, §15.6.2). */
const isUnknownMethod = (status: number, { method }: RegistryRequest): boolean =>
  method === 'HEAD' && (status === 405 || status === 501);

/** How registries say that they do not know a resource of a later specification than theirs. */
const UNKNOWN: ReadonlySet<number> = new Set([400, 404, 405, 406, 501]);

const isUnknownResource = (status: number, { mayBeUnsupported: mayBeUnknown }: RegistryRequest): boolean =>
  mayBeUnknown === true && UNKNOWN.has(status);

/**
 * The answer of a registry to a question: undefined is 404. Where the registry does not know HEAD, or a resource that it
 * need not know, the answer comes back as it is. Throws a fault for every other status but 200.
 */
export const readStatus = (
  answer: HttpResponse,
  name: string,
  question: RegistryRequest,
): HttpResponse | undefined => {
  const { status } = answer;
  if (status === 200 || isUnknownMethod(status, question) || isUnknownResource(status, question))
    return answer;
  if (status === 404) return undefined;
  checkResponse(answer, name);
  if (status === 401 || status === 403)
    throw fault('refused', `${name} refuses the question (${status}); check the registry credentials`);
  throw fault('answer-invalid', `${name} answers ${status}`);
};
