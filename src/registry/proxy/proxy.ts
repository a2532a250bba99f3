import { createExempts } from './no-proxy.ts';

/** The proxies that requests go through. */
export interface Proxy {
  /** The proxy for https. */
  readonly https?: URL;
  /** The proxy for plain HTTP. */
  readonly http?: URL;
  /** `NO_PROXY`: the hosts that are contacted directly. */
  readonly noProxy?: string;
}

/** Returns the proxy for a URL; undefined: the connection is direct. */
export type ProxyFor = (url: URL) => URL | undefined;

/** Chooses the proxy for every request, including those to token realms and redirect targets. */
export const createProxyFor = ({ https, http, noProxy = '' }: Proxy): ProxyFor => {
  if (https === undefined && http === undefined) return () => undefined;
  const exempts = createExempts(noProxy);
  return ({ protocol, hostname, port }) => {
    const target = {
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? (protocol === 'https:' ? '443' : '80') : port,
    };
    if (exempts(target)) return undefined;
    return protocol === 'https:' ? https : http;
  };
};
