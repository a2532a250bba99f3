import { createExempts } from './no-proxy.ts';

/** Through which proxies hosts are asked. */
export interface Proxy {
  /** For https. */
  readonly https?: URL;
  /** For plain HTTP. */
  readonly http?: URL;
  /** `NO_PROXY`: the hosts that are asked directly. */
  readonly noProxy?: string;
}

/** The proxy that a URL is asked through; undefined: none. */
export type ProxyFor = (url: URL) => URL | undefined;

const textOf = (env: Environment, name: string): string => env[name] || env[name.toLowerCase()] || '';

type Environment = Readonly<Record<string, string | undefined>>;

/** A proxy's URL; without a scheme it is plain HTTP. Undefined where the text is none that can be used. */
const parseProxyUrl = (text: string): URL | undefined => {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') return undefined;
  return url;
};

/**
 * Reads `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in capitals before small letters, as Go does. What cannot be used is
 * left out and named in `problems`, in sentences that quote nothing: a proxy's URL may hold a password.
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
  const [https, http, no] = [read('HTTPS_PROXY'), read('HTTP_PROXY'), textOf(env, 'NO_PROXY')];
  return {
    proxy: {
      ...(https === undefined ? {} : { https }),
      ...(http === undefined ? {} : { http }),
      ...(no === '' ? {} : { noProxy: no }),
    },
    problems,
  };
};

/** Chooses the proxy for each URL that is asked, also for token realms and redirects. */
export const createProxyFor = ({ https, http, noProxy: no = '' }: Proxy): ProxyFor => {
  if (https === undefined && http === undefined) return () => undefined;
  const exempts = createExempts(no);
  return ({ protocol, hostname, port }) => {
    const target = {
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? (protocol === 'https:' ? '443' : '80') : port,
    };
    if (exempts(target)) return undefined;
    return protocol === 'https:' ? https : http;
  };
};
