import type { LookUp } from './addresses.ts';
import { endpointOf } from './authority.ts';
import { type Authorization, createAuthorization } from './authorization.ts';
import { createFileCredentials, noCredentials } from './credentials.ts';
import { createGate } from './gate.ts';
import { createHealth, type Visit } from './health.ts';
import { type AskRegistry, createRepository, type RegistryQuestion } from './repository.ts';
import type { RegistryLimits, RegistrySettings } from './settings.ts';
import { type Source, SourceFault } from './source.ts';
import { type Asker, createTransport, type HttpAnswer, type Transport } from './transport.ts';

export interface Registry {
  open(path: string, onRequest: () => void): Source;
  close(): Promise<void>;
}

/** The answer a status stands for: absence is undefined, what is no answer is a fault. */
const readStatus = (answer: HttpAnswer, name: string, visit: Visit): HttpAnswer | undefined => {
  const { status } = answer;
  const pause = answer.header('retry-after');
  if (status === 429 || (status === 503 && pause !== undefined)) {
    const code = status === 429 ? 'rate-limited' : 'unavailable';
    visit.asksForPause({ code, retryAfter: pause });
    throw new SourceFault(
      code,
      `${name} answers ${status}${pause === undefined ? '' : ' and asks for a pause'}`,
      { asked: true },
    );
  }
  if (status >= 500) {
    visit.failed();
    throw new SourceFault('unavailable', `${name} answers ${status}`, { asked: true });
  }
  visit.answered();
  if (status === 200) return answer;
  if (status === 404) return undefined;
  if (status === 401 || status === 403)
    throw new SourceFault(
      'refused',
      `${name} refuses the question (${status}); check the registry credentials`,
      { asked: true },
    );
  throw new SourceFault('answer-invalid', `${name} answers ${status}`, { asked: true });
};

/** Asks once as the registry wants it; a 401 is met once: with what it asks for, or with a fresh token. */
const createAskAuthorized = (
  host: string,
  base: URL | null,
  authorization: Authorization,
  transport: Transport,
) => {
  const askOnce = (path: string, question: RegistryQuestion, header: string | undefined, asker: Asker) => {
    if (base === null)
      throw new SourceFault('refused', `${host} is no host that can be connected to`, { asked: false });
    const { method, resource, accept, limit } = question;
    const headers = {
      ...(accept === undefined ? {} : { accept }),
      ...(header === undefined ? {} : { authorization: header }),
    };
    const url = new URL(`${path}/${resource}`, base);
    return transport.ask({ method, url, headers, limit, reach: 'registry' }, asker);
  };
  return async (path: string, question: RegistryQuestion, asker: Asker): Promise<HttpAnswer> => {
    const header = await authorization.headerFor(path, asker);
    const answer = await askOnce(path, question, header, asker);
    if (answer.status !== 401) return answer;
    authorization.learn(path, header, answer);
    const better = await authorization.headerFor(path, asker);
    return better === header ? answer : askOnce(path, question, better, asker);
  };
};

const noteFault = (error: unknown, visit: Visit): void => {
  if (error instanceof SourceFault && error.code === 'unavailable') visit.failed();
  else visit.left();
};

/** Everything about one registry host: its pools, tokens and health, shared by all its repositories. */
export const createRegistry = (
  settings: RegistrySettings,
  limits: RegistryLimits,
  { now, lookUp }: { readonly now: () => number; readonly lookUp?: LookUp | undefined },
): Registry => {
  const { host, ca, tokenRealms = [], plainHttp = false, dockerConfig } = settings;
  const { redirects, requestTimeout, requestsPerRegistry, tokenBytes } = limits;
  const plainHttpHost = plainHttp ? host : undefined;
  const base = URL.parse(`${plainHttp ? 'http' : 'https'}://${endpointOf(host)}/v2/`);
  const transport = createTransport({ name: host, ca, plainHttpHost, redirects, requestTimeout, lookUp });
  const findCredentials = dockerConfig === undefined ? noCredentials : createFileCredentials(dockerConfig);
  const known = { registry: host, tokenRealms, plainHttpHost, findCredentials, transport, tokenBytes, now };
  const askAuthorized = createAskAuthorized(host, base, createAuthorization(known), transport);
  const health = createHealth(host, now);
  const throughGate = createGate(requestsPerRegistry, host);

  const askHealthy = async (path: string, question: RegistryQuestion, asker: Asker) => {
    const visit = health.admit();
    const answer = await askAuthorized(path, question, asker).catch((error: unknown) => {
      noteFault(error, visit);
      throw error;
    });
    return readStatus(answer, `${host}/${path}`, visit);
  };

  return {
    open(path, onRequest) {
      const ask: AskRegistry = (question, signal) =>
        throughGate(() => askHealthy(path, question, { signal, onRequest }), signal);
      return createRepository(`${host}/${path}`, ask, limits);
    },
    close: transport.close,
  };
};
