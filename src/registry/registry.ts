import type { LookUp } from './addresses.ts';
import { PauseAsked, readStatus } from './answer-status.ts';
import { endpointOf } from './authority.ts';
import { type Authorization, createAuthorization } from './authorization.ts';
import { createFileCredentials, noCredentials } from './credentials.ts';
import { createGate } from './gate.ts';
import { createHealth, type Visit } from './health.ts';
import { createReferrersApi } from './referrers-api.ts';
import type { AskRegistry, RegistryQuestion } from './registry-question.ts';
import { createRepository } from './repository.ts';
import type { RegistryLimits, RegistrySettings } from './settings.ts';
import { type Source, SourceFault } from './source.ts';
import { type Asker, createTransport, type HttpAnswer, type Transport } from './transport.ts';

export interface Registry {
  open(path: string, onRequest: () => void): Source;
  close(): Promise<void>;
}

/** Bytes of an error that are read, to tell a repository that is not there from a question that is not known. */
const ERROR_BYTES = 16_384;

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
    const { method, resource, accept, limit, mayBeUnknown } = question;
    const errorLimit = mayBeUnknown === true ? ERROR_BYTES : undefined;
    const headers = {
      ...(accept === undefined ? {} : { accept }),
      ...(header === undefined ? {} : { authorization: header }),
    };
    const url = new URL(`${base.href}${path}/${resource}`);
    return transport.ask({ method, url, headers, limit, errorLimit, reach: 'registry' }, asker);
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

/** What the end of a question tells of the registry. */
const noteFault = (error: unknown, visit: Visit): void => {
  if (error instanceof PauseAsked) visit.asksForPause(error.pause);
  else if (!(error instanceof SourceFault) || !error.asked || error.code === 'deadline') visit.left();
  else if (error.code === 'unavailable') visit.failed();
  else visit.answered();
};

/** Everything about one registry host: its pools, tokens and health, shared by all its repositories. */
export const createRegistry = (
  settings: RegistrySettings,
  limits: RegistryLimits,
  { now, lookUp }: { readonly now: () => number; readonly lookUp?: LookUp | undefined },
): Registry => {
  const { host, ca, tokenRealms = [], plainHttp = false, dockerConfig } = settings;
  const { redirects, requestTimeout, requestsPerRegistry, tokenBytes } = limits;
  const base = URL.parse(`${plainHttp ? 'http' : 'https'}://${endpointOf(host)}/v2/`);
  // As a URL has it: without a port that is the scheme's own.
  const plainHttpHost = plainHttp ? base?.host : undefined;
  const transport = createTransport({ name: host, ca, plainHttpHost, redirects, requestTimeout, lookUp });
  const findCredentials = dockerConfig === undefined ? noCredentials : createFileCredentials(dockerConfig);
  const known = {
    registry: host,
    endpoint: base?.host,
    tokenRealms,
    plainHttpHost,
    findCredentials,
    transport,
    tokenBytes,
    now,
  };
  const askAuthorized = createAskAuthorized(host, base, createAuthorization(known), transport);
  const health = createHealth(host, now);
  const referrersApi = createReferrersApi(now);
  const throughGate = createGate(requestsPerRegistry, host);

  const askHealthy = async (path: string, question: RegistryQuestion, asker: Asker) => {
    const visit = health.admit();
    try {
      const answer = readStatus(await askAuthorized(path, question, asker), `${host}/${path}`, question);
      visit.answered();
      return answer;
    } catch (error) {
      noteFault(error, visit);
      throw error;
    }
  };

  return {
    open(path, onRequest) {
      const ask: AskRegistry = (question, signal) =>
        throughGate(() => askHealthy(path, question, { signal, onRequest }), signal);
      return createRepository({ id: `${host}/${path}`, ask, referrersApi, limits });
    },
    close: transport.close,
  };
};
