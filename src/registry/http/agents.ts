import { getCACertificates } from 'node:tls';
import { Agent, type Dispatcher } from 'undici';
import { isAddressLiteral } from '../address-class.ts';
import type { ProxyFor } from '../proxy/proxy.ts';
import { createForwarder, createTunnel } from '../proxy/tunnel.ts';
import { type AddressRule, checkAddresses, createCheckedLookup, type LookUp } from './addresses.ts';

/** Who named a host: the registry itself · the configuration · only an answer of the registry. */
export type NamedBy = 'registry' | 'named' | 'elsewhere';

/** What a URL is asked with. */
export interface Route {
  readonly dispatcher: Dispatcher;
  /** The proxy that it goes through, if it goes through one. */
  readonly proxy: URL | undefined;
}

export interface Agents {
  /** The means for a URL. Throws `AddressForbidden` where its host is an address that is not followed. */
  routeFor(reach: NamedBy, url: URL): Route;
  close(): Promise<void>;
}

/**
 * The connection pools of one registry, by who named the host. Addresses are checked when a socket is opened: a host that
 * only an answer names may be at a private address only if the registry itself is (server-side request forgery).
 *
 * Through a proxy it is the proxy that looks names up, so a name that leads to a forbidden address is its to refuse; hosts
 * written as addresses are checked here all the same. The proxy itself may be anywhere: whoever runs us named it.
 */
export const createAgents = (options: {
  readonly ca: string | undefined;
  readonly requestTimeout: number;
  readonly lookUp?: LookUp | undefined;
  readonly proxyFor: ProxyFor;
}): Agents => {
  const { ca, requestTimeout, lookUp, proxyFor } = options;
  let registryIsPrivate = false;
  const rules: Readonly<Record<NamedBy, AddressRule>> = {
    registry: (classes) => {
      registryIsPrivate = classes.every((found) => found === 'private');
      return true;
    },
    named: () => true,
    elsewhere: (classes) => registryIsPrivate || classes.every((found) => found === 'public'),
  };
  const trusted = ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] };
  const shared = {
    allowH2: false,
    // One signal ends a request, whatever it waits for; these clocks would end it for another reason.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 15_000,
  };
  const opened = new Map<string, Dispatcher>();
  const openOnce = (key: string, create: () => Dispatcher): Dispatcher => {
    const dispatcher = opened.get(key) ?? create();
    opened.set(key, dispatcher);
    return dispatcher;
  };

  const direct = (reach: NamedBy): Dispatcher => {
    const lookup = createCheckedLookup(rules[reach], lookUp);
    return new Agent({ ...shared, connect: { ...trusted, timeout: requestTimeout, lookup } });
  };
  const through = (proxy: URL, protocol: string): Dispatcher =>
    protocol === 'https:'
      ? new Agent({ ...shared, connect: createTunnel(proxy, { ...trusted, patience: requestTimeout }) })
      : createForwarder(proxy, { ...shared, connect: { timeout: requestTimeout } });

  return {
    routeFor(reach, url) {
      const { hostname, protocol } = url;
      // A socket to an address looks no name up, so the address is checked here.
      if (isAddressLiteral(hostname)) checkAddresses(hostname, [hostname], rules[reach]);
      const proxy = proxyFor(url);
      const dispatcher =
        proxy === undefined
          ? openOnce(reach, () => direct(reach))
          : openOnce(`proxy ${protocol}`, () => through(proxy, protocol));
      return { dispatcher, proxy };
    },
    close: async () => void (await Promise.all([...opened.values()].map((one) => one.destroy()))),
  };
};
