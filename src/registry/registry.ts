import type { LookUp } from './addresses.ts';
import { PauseAsked, readStatus } from './answer-status.ts';
import { endpointOf } from './authority.ts';
import { type Authorization, createAuthorization } from './authorization.ts';
import type { FindCredentials } from './credentials/credentials.ts';
import { createGate } from './gate.ts';
import { createHealth, type Visit } from './health.ts';
import type { ProxyFor } from './proxy/proxy.ts';
import { createReferrersApi } from './referrers-api.ts';
import type { AskRegistry, RegistryQuestion } from './registry-question.ts';
import { createRepository } from './repository.ts';
import type { RegistryLimits, RegistrySettings } from './settings.ts';
import { type Source, SourceFault } from './source.ts';
import { type Asker, createTransport, type HttpAnswer, type Transport } from './transport.ts';
import { within } from './within.ts';

export interface Registry {
  /** Opens a repository. Its faults name it where it is asked; `id` is what it is known by. */
  open(path: string, onRequest: () => void, id?: string): Source;
  close(): Promise<void>;
}

/** Bytes of an error that are read, to tell a repository that is not there from a question that is not known. */
const ERROR_BYTES = 16_384;

/**
 * Asks as the registry wants it. What is refused is asked again with what the challenge wants, with a fresh token, and
 * with the next credentials that match; the last answer is given back.
 */
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
    if (asker.signal.aborted)
      throw new SourceFault('deadline', `no time was left to ask ${host}`, { asked: false });
    const attempts = authorization.attempts(path, asker);
    let step = await within(attempts.next(), asker, host);
    for (;;) {
      const answer = await askOnce(path, question, step.value ?? undefined, asker);
      if (answer.status !== 401 && answer.status !== 403) return answer;
      step = await within(attempts.next(answer), asker, host);
      if (step.done === true) return answer;
    }
  };
};

/** What the end of a question tells of the registry. */
const noteFault = (error: unknown, visit: Visit): void => {
  if (error instanceof PauseAsked) visit.asksForPause(error.pause);
  else if (!(error instanceof SourceFault) || !error.asked || error.code === 'deadline') visit.left();
  else if (error.code === 'unavailable') visit.failed();
  else visit.answered();
};

/** What one registry has from the process. */
export interface RegistryParts {
  readonly findCredentials: FindCredentials;
  readonly now: () => number;
  readonly lookUp: LookUp | undefined;
  readonly proxyFor: ProxyFor;
}

/** Everything about one registry host: its pools, tokens and health, shared by all its repositories. */
export const createRegistry = (
  settings: RegistrySettings,
  limits: RegistryLimits,
  { findCredentials, now, lookUp, proxyFor }: RegistryParts,
): Registry => {
  const { host, ca, tokenRealms = [], plainHttp = false } = settings;
  const { redirects, requestTimeout, requestsPerRegistry, tokenBytes } = limits;
  const base = URL.parse(`${plainHttp ? 'http' : 'https'}://${endpointOf(host)}/v2/`);
  // As a URL has it: without a port that is the scheme's own.
  const plainHttpHost = plainHttp ? base?.host : undefined;
  const seams = { lookUp, proxyFor };
  const transport = createTransport({ name: host, ca, plainHttpHost, redirects, requestTimeout, ...seams });
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
  const referrersApiOf = createReferrersApi(now);
  const throughGate = createGate(requestsPerRegistry, host);

  const askHealthy = async (path: string, question: RegistryQuestion, asker: Asker) => {
    // What comes meanwhile waits for the probe's end: a verification asks several things at once, and needs them all.
    for (let probe = health.probe(); probe !== undefined; probe = health.probe())
      await within(probe, asker, host, false);
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
    open(path, onRequest, id = `${host}/${path}`) {
      const ask: AskRegistry = (question, signal) =>
        throughGate(() => askHealthy(path, question, { signal, onRequest }), signal);
      return {
        ...createRepository({ id: `${host}/${path}`, ask, referrersApi: referrersApiOf(path), limits }),
        id,
      };
    },
    close: transport.close,
  };
};
