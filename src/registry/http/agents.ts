import { Agent, type Dispatcher } from 'undici';
import { isAddressLiteral } from '../address-class.ts';
import type { ProxyFor } from '../proxy/proxy.ts';
import { createForwarder, createTunnel } from '../proxy/tunnel.ts';
import { createTrustingConnector } from '../tls/connector.ts';
import type { FindSecureContext } from '../tls/trust.ts';
import { type AddressRule, checkAddresses, createCheckedLookup, type LookUp } from './addresses.ts';
import { type ConnectErrors, createConnectErrors } from './connect-errors.ts';

/** The origin of a host name: the image reference · the configuration · a response of the registry (redirect, realm). */
export type NamedBy = 'registry' | 'configuration' | 'response';

/** The length of all headers of a response: what reads one of them never reads more. Node's options do not raise it. */
const MAX_HEADER_BYTES = 16_384;

/** The connection pool and proxy that requests to a URL go through. */
export interface Route {
  readonly dispatcher: Dispatcher;
  /** Undefined: the connection is direct. */
  readonly proxy: URL | undefined;
}

export interface Agents {
  /** Returns the route for a URL. Throws `AddressForbidden` if its host is an address that must not be connected to. */
  routeFor(namedBy: NamedBy, url: URL): Route;
  /** True if the error ended an attempt to connect, TLS included; after that, a lost connection is another error. */
  isConnectError(error: unknown): boolean;
  close(): Promise<void>;
}

/** Creates the rules for the addresses of hosts, by who named them. */
const createAddressRules = (): Readonly<Record<NamedBy, AddressRule>> => {
  let registryIsPrivate = false;
  return {
    registry: (classes) => {
      registryIsPrivate = classes.every((addressClass) => addressClass === 'private');
      return true;
    },
    configuration: () => true,
    response: (classes) => registryIsPrivate || classes.every((addressClass) => addressClass === 'public'),
  };
};

interface Connections {
  /** The authorities that hosts are checked by. */
  readonly secureContext: FindSecureContext;
  /** The authorities that a proxy over TLS is checked by. */
  readonly proxySecureContext: FindSecureContext;
  readonly requestTimeout: number;
}

const POOL = {
  allowH2: false,
  maxHeaderSize: MAX_HEADER_BYTES,
  // One signal ends a request in every phase; these timeouts would end it with another error.
  headersTimeout: 0,
  bodyTimeout: 0,
  keepAliveTimeout: 15_000,
  // A server may ask for longer, and would keep sockets of ours.
  keepAliveMaxTimeout: 15_000,
} as const;

/** Creates the pool of connections through a proxy, to hosts that speak one protocol. */
const createProxyPool = (
  proxy: URL,
  protocol: string,
  { secureContext, proxySecureContext, requestTimeout: timeout }: Connections,
  { watch }: ConnectErrors,
): Dispatcher => {
  if (protocol === 'https:') {
    const tunnel = createTunnel(proxy, { secureContext, proxySecureContext, timeout });
    return new Agent({ ...POOL, connect: watch(tunnel) });
  }
  const connect = createTrustingConnector(proxySecureContext, { allowH2: false, timeout });
  return createForwarder(proxy, { ...POOL, connect: watch(connect) });
};

/**
 * The connection pools of one registry, by who named the host. Addresses are checked when a socket is opened: a host that
 * only a response names may be at a private address only if the registry itself is (server-side request forgery).
 *
 * A proxy resolves names itself, so it must refuse a name that leads to a forbidden address; hosts written as addresses are
 * checked here all the same. The proxy may be at any address: the operator named it.
 */
export const createAgents = (
  options: Connections & {
    readonly lookUp?: LookUp | undefined;
    /** Resolves names that only a response contains. */
    readonly lookUpBackend?: LookUp | undefined;
    readonly proxyFor: ProxyFor;
  },
): Agents => {
  const { lookUp, lookUpBackend = lookUp, proxyFor } = options;
  const rules = createAddressRules();
  const connectErrors = createConnectErrors();
  const dispatchers = new Map<string, Dispatcher>();
  const openOnce = (key: string, create: () => Dispatcher): Dispatcher => {
    const dispatcher = dispatchers.get(key) ?? create();
    dispatchers.set(key, dispatcher);
    return dispatcher;
  };

  const direct = (namedBy: NamedBy): Dispatcher => {
    const lookup = createCheckedLookup(rules[namedBy], namedBy === 'response' ? lookUpBackend : lookUp);
    const { secureContext, requestTimeout: timeout } = options;
    const connect = createTrustingConnector(secureContext, { allowH2: false, timeout, lookup });
    return new Agent({ ...POOL, connect: connectErrors.watch(connect) });
  };

  return {
    routeFor(namedBy, url) {
      const { hostname, protocol } = url;
      // A socket to an address makes no lookup, so the address is checked here.
      if (isAddressLiteral(hostname)) checkAddresses(hostname, [hostname], rules[namedBy]);
      const proxy = proxyFor(url);
      const dispatcher =
        proxy === undefined
          ? openOnce(namedBy, () => direct(namedBy))
          : openOnce(`proxy ${protocol}`, () => createProxyPool(proxy, protocol, options, connectErrors));
      return { dispatcher, proxy };
    },
    isConnectError: connectErrors.has,
    close: async () =>
      void (await Promise.all([...dispatchers.values()].map((dispatcher) => dispatcher.destroy()))),
  };
};
