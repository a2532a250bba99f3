import { createAuthorization } from './auth/authorization.ts';
import { endpointOf } from './auth/realm.ts';
import { sendAuthorized } from './auth/send-authorized.ts';
import { createAvailability } from './availability.ts';
import { createConcurrencyLimit } from './concurrency-limit.ts';
import type { FindCredentials } from './credentials/credentials.ts';
import type { LookUp } from './http/addresses.ts';
import type { Caller, HttpRequest, HttpResponse } from './http/http-message.ts';
import type { CreateTransport } from './http/transport.ts';
import type { ProxyFor } from './proxy/proxy.ts';
import { createReferrersApi } from './referrers/referrers-api.ts';
import type { RegistryRequest, SendToRegistry } from './registry-request.ts';
import { createRepositorySource } from './repository-source.ts';
import { readStatus } from './response-status.ts';
import type { RegistryLimits, RegistrySettings } from './settings.ts';
import { type Source, type SourceCaller, SourceFault } from './source.ts';
import type { FindSecureContext } from './tls/trust.ts';

export interface Registry {
  /** Opens a repository. Its faults name the host that is contacted; `id` is the name it is known by. */
  open(path: string, caller: SourceCaller, id?: string): Source;
  state(): RegistryState;
  close(): Promise<void>;
}

/** The state of a registry now, for metrics. */
export interface RegistryState {
  readonly host: string;
  /** False while connections to it are held to fail. */
  readonly up: boolean;
  /** Resources that are not asked for now. */
  readonly failing: number;
  /** Requests that hold a slot. */
  readonly inFlight: number;
  /** Requests that wait for one. */
  readonly waiting: number;
}

export interface RegistryDependencies {
  readonly findCredentials: FindCredentials;
  readonly now: () => number;
  readonly lookUp: LookUp | undefined;
  readonly lookUpBackend: LookUp;
  readonly proxyFor: ProxyFor;
  readonly createTransport: CreateTransport;
  readonly secureContext: FindSecureContext;
  readonly proxySecureContext: FindSecureContext;
}

/** Bytes of an error to read, to distinguish an unknown repository from an unsupported resource. */
const MAX_ERROR_BYTES = 16_384;

const httpRequestOf = (
  base: URL,
  path: string,
  { method, resource, accept, limit, mayBeUnsupported }: RegistryRequest,
  authorization: string | undefined,
): HttpRequest => ({
  method,
  url: new URL(`${base.href}${path}/${resource}`),
  headers: {
    ...(accept === undefined ? {} : { accept }),
    ...(authorization === undefined ? {} : { authorization }),
  },
  limit,
  errorLimit: mayBeUnsupported === true ? MAX_ERROR_BYTES : undefined,
  namedBy: 'registry',
});

const invalidHost = (host: string): SourceFault =>
  new SourceFault('refused', `${host} is not a valid host name`, { asked: false, remedy: 'host-name' });

/** Sends a request, and then the next one if there is one. */
const sendInTurn = async (
  send: (request: RegistryRequest) => Promise<HttpResponse | undefined>,
  request: RegistryRequest,
  next: Parameters<SendToRegistry>[2],
): Promise<HttpResponse | undefined> => {
  const response = await send(request);
  const following = response && next?.(response);
  return following === undefined ? response : send(following);
};

/**
 * Creates the client of one registry host. Its repositories share its connections and its slots; all that their responses
 * bring about is theirs alone.
 */
export const createRegistry = (
  settings: RegistrySettings,
  limits: RegistryLimits,
  { findCredentials, now, createTransport, ...network }: RegistryDependencies,
): Registry => {
  const { host, tokenRealms = [], plainHttp = false } = settings;
  const { redirects, requestTimeout, requestsPerRegistry, tokenBytes } = limits;
  const base = URL.parse(`${plainHttp ? 'http' : 'https'}://${endpointOf(host)}/v2/`);
  // As a URL has it: without the scheme's default port.
  const plainHttpHost = plainHttp ? base?.host : undefined;
  const transport = createTransport({ name: host, plainHttpHost, redirects, requestTimeout, ...network });
  const realmOptions = { registry: host, endpoint: base?.host, tokenRealms, plainHttpHost };
  const authorization = createAuthorization({ ...realmOptions, findCredentials, transport, tokenBytes, now });
  const availability = createAvailability(host, now);
  const referrersApiOf = createReferrersApi(now);
  const slots = createConcurrencyLimit(requestsPerRegistry, host);

  const authorized = (path: string, request: RegistryRequest, caller: Caller) =>
    sendAuthorized(
      { registry: host, path, resource: request.resource },
      authorization,
      async (header) => {
        if (base === null) throw invalidHost(host);
        return transport.send(httpRequestOf(base, path, request, header), caller);
      },
      caller,
    );

  const sendIfAvailable = async (path: string, request: RegistryRequest, caller: Caller) => {
    const resource = { path, resource: request.resource };
    availability.check(resource);
    try {
      const response = readStatus(await authorized(path, request, caller), `${host}/${path}`, request);
      availability.responded(resource);
      return response;
    } catch (error) {
      availability.failed(resource, error);
      throw error;
    }
  };

  return {
    open(path, { requester, known, onRequest, onWait }, id = `${host}/${path}`) {
      const purpose = { requester, known, repository: path };
      const send: SendToRegistry = async (request, signal, next) => {
        // Before the line too: a fault that is certain must not wait for a slot.
        availability.check({ path, resource: request.resource });
        const sendOne = (each: RegistryRequest) => sendIfAvailable(path, each, { signal, onRequest, onWait });
        return slots.run(purpose, () => sendInTurn(sendOne, request, next), signal);
      };
      return {
        ...createRepositorySource({
          id: `${host}/${path}`,
          send,
          referrersApi: referrersApiOf(path),
          limits,
        }),
        id,
      };
    },
    state: () => ({ host, ...availability.state(), ...slots.load() }),
    close: transport.close,
  };
};
