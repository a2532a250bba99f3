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

const textOf = (env: Environment, name: string): string => env[name] || env[name.toLowerCase()] || '';

type Environment = Readonly<Record<string, string | undefined>>;

/** Parses a proxy's URL; the default scheme is http. Undefined if the text is not an http or https URL. */
const parseProxyUrl = (text: string): URL | undefined => {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') return undefined;
  return url;
};

/**
 * Reads `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, upper case before lower case, as Go does. An invalid value is ignored
 * and reported in `problems`, which quote no value: a proxy's URL may contain a password.
 */
export const parseProxy = (
  env: Environment,
): { readonly proxy: Proxy; readonly problems: readonly string[] } => {
  const problems: string[] = [];
  const read = (name: string): URL | undefined => {
    const text = textOf(env, name);
    const url = text === '' ? undefined : parseProxyUrl(text);
    if (text !== '' && url === undefined)
      problems.push(`${name} must be an http or https URL, such as http://proxy.corp.example:3128`);
    return url;
  };
  const [https, http, noProxy] = [read('HTTPS_PROXY'), read('HTTP_PROXY'), textOf(env, 'NO_PROXY')];
  return {
    proxy: {
      ...(https === undefined ? {} : { https }),
      ...(http === undefined ? {} : { http }),
      ...(noProxy === '' ? {} : { noProxy }),
    },
    problems,
  };
};

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
