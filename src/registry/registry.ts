import { type Authorization, createAuthorization } from './auth/authorization.ts';
import { endpointOf } from './auth/realm.ts';
import { createCircuitBreaker, type Permit } from './circuit-breaker.ts';
import { createConcurrencyLimit } from './concurrency-limit.ts';
import type { FindCredentials } from './credentials/credentials.ts';
import type { LookUp } from './http/addresses.ts';
import { type Caller, createTransport, type HttpResponse, type Transport } from './http/transport.ts';
import type { ProxyFor } from './proxy/proxy.ts';
import { createReferrersApi } from './referrers/referrers-api.ts';
import type { RegistryRequest, SendToRegistry } from './registry-request.ts';
import { createRepositorySource } from './repository-source.ts';
import { PauseRequested, readStatus } from './response-status.ts';
import type { RegistryLimits, RegistrySettings } from './settings.ts';
import { type Source, SourceFault } from './source.ts';
import { waitForShared } from './wait-for-shared.ts';

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
  const askOnce = (path: string, question: RegistryRequest, header: string | undefined, asker: Caller) => {
    if (base === null)
      throw new SourceFault('refused', `${host} is no host that can be connected to`, { asked: false });
    const { method, resource, accept, limit, mayBeUnsupported: mayBeUnknown } = question;
    const errorLimit = mayBeUnknown === true ? ERROR_BYTES : undefined;
    const headers = {
      ...(accept === undefined ? {} : { accept }),
      ...(header === undefined ? {} : { authorization: header }),
    };
    const url = new URL(`${base.href}${path}/${resource}`);
    return transport.send({ method, url, headers, limit, errorLimit, namedBy: 'registry' }, asker);
  };
  return async (path: string, question: RegistryRequest, asker: Caller): Promise<HttpResponse> => {
    if (asker.signal.aborted)
      throw new SourceFault('deadline', `no time was left to ask ${host}`, { asked: false });
    const attempts = authorization.headersToTry(path, asker);
    let step = await waitForShared(attempts.next(), asker, host);
    for (;;) {
      const answer = await askOnce(path, question, step.value ?? undefined, asker);
      if (answer.status !== 401 && answer.status !== 403) return answer;
      step = await waitForShared(attempts.next(answer), asker, host);
      if (step.done === true) return answer;
    }
  };
};

/** What the end of a question tells of the registry. */
const noteFault = (error: unknown, visit: Permit): void => {
  if (error instanceof PauseRequested) visit.pauseRequested(error.pause);
  else if (!(error instanceof SourceFault) || !error.asked || error.code === 'deadline') visit.abandoned();
  else if (error.code === 'unavailable') visit.failed();
  else visit.succeeded();
};

/** What one registry has from the process. */
export interface RegistryDependencies {
  readonly findCredentials: FindCredentials;
  readonly now: () => number;
  readonly lookUp: LookUp | undefined;
  readonly proxyFor: ProxyFor;
}

/** Everything about one registry host: its pools, tokens and health, shared by all its repositories. */
export const createRegistry = (
  settings: RegistrySettings,
  limits: RegistryLimits,
  { findCredentials, now, lookUp, proxyFor }: RegistryDependencies,
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
  const health = createCircuitBreaker(host, now);
  const referrersApiOf = createReferrersApi(now);
  const throughGate = createConcurrencyLimit(requestsPerRegistry, host);

  const askHealthy = async (path: string, question: RegistryRequest, asker: Caller) => {
    // What comes meanwhile waits for the probe's end: a verification asks several things at once, and needs them all.
    for (let probe = health.probe(); probe !== undefined; probe = health.probe())
      await waitForShared(probe, asker, host, false);
    const visit = health.acquire();
    try {
      const answer = readStatus(await askAuthorized(path, question, asker), `${host}/${path}`, question);
      visit.succeeded();
      return answer;
    } catch (error) {
      noteFault(error, visit);
      throw error;
    }
  };

  return {
    open(path, onRequest, id = `${host}/${path}`) {
      const ask: SendToRegistry = (question, signal) =>
        throughGate(() => askHealthy(path, question, { signal, onRequest }), signal);
      return {
        ...createRepositorySource({
          id: `${host}/${path}`,
          send: ask,
          referrersApi: referrersApiOf(path),
          limits,
        }),
        id,
      };
    },
    close: transport.close,
  };
};
