import type { Pause } from './health.ts';
import type { RegistryQuestion } from './registry-question.ts';
import { type FaultCode, SourceFault } from './source.ts';
import type { HttpAnswer } from './transport.ts';

/** 429, or 503 with `Retry-After`: a fault that says how long nothing more is to be asked. */
export class PauseAsked extends SourceFault {
  readonly pause: Pause;

  constructor(detail: string, pause: Pause) {
    super(pause.code, detail, { asked: true });
    this.pause = pause;
  }
}

const fault = (code: FaultCode, detail: string): SourceFault =>
  new SourceFault(code, detail, { asked: true });

/** Throws the fault of a status that says that there is no answer now: 429 and 5xx. */
export const checkIsAnswer = (answer: HttpAnswer, name: string): void => {
  const { status } = answer;
  const retryAfter = answer.header('retry-after');
  if (status === 429)
    throw new PauseAsked(`${name} limits the rate of questions (429)`, { code: 'rate-limited', retryAfter });
  if (status === 503 && retryAfter !== undefined)
    throw new PauseAsked(`${name} asks for a pause (503)`, { code: 'unavailable', retryAfter });
  if (status >= 500) throw fault('unavailable', `${name} answers ${status}`);
};

/** Some registries do not know HEAD: then only GET tells (RFC 9110 §15.5.6, §15.6.2). */
const isUnknownMethod = (status: number, { method }: RegistryQuestion): boolean =>
  method === 'HEAD' && (status === 405 || status === 501);

/** How registries say that they do not know a resource of a later specification than theirs. */
const UNKNOWN: ReadonlySet<number> = new Set([400, 404, 405, 406, 501]);

const isUnknownResource = (status: number, { mayBeUnknown }: RegistryQuestion): boolean =>
  mayBeUnknown === true && UNKNOWN.has(status);

/**
 * The answer of a registry to a question: undefined is 404. Where the registry does not know HEAD, or a resource that it
 * need not know, the answer comes back as it is. Throws a fault for every other status but 200.
 */
export const readStatus = (
  answer: HttpAnswer,
  name: string,
  question: RegistryQuestion,
): HttpAnswer | undefined => {
  const { status } = answer;
  if (status === 200 || isUnknownMethod(status, question) || isUnknownResource(status, question))
    return answer;
  if (status === 404) return undefined;
  checkIsAnswer(answer, name);
  if (status === 401 || status === 403)
    throw fault('refused', `${name} refuses the question (${status}); check the registry credentials`);
  throw fault('answer-invalid', `${name} answers ${status}`);
};
