import { isIPv4 } from 'node:net';
import type { Proxy } from './proxy.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;
const NO_URL = 'must be an http or https URL, such as http://proxy.corp.example:3128';
const NUMBER =
  'has a number as its host, which would be read as another address: write a host name, or four decimal numbers, such as http://192.0.2.1:3128';

/** Returns why the text of a proxy's URL, whose scheme is left out, must not be read; undefined: nothing speaks against it. */
const problemOf = (scheme: string, rest: string): string | undefined => {
  if (/^socks/i.test(scheme))
    return 'names a SOCKS proxy, which is not supported: name an http or https proxy, such as http://proxy.corp.example:3128';
  if (!/^https?$/i.test(scheme)) return NO_URL;
  const end = rest.search(/[/\\?#]/);
  // The URL would end there, and what follows name another host.
  if (end !== -1 && rest.includes('@', end))
    return 'has a /, \\, ? or # in its user name or password: write it as %2F, %5C, %3F or %23';
  if (/%(?![0-9a-f]{2})/i.test(rest.slice(0, rest.lastIndexOf('@') + 1)))
    return 'has a % in its user name or password that begins no escape: write it as %25';
  return undefined;
};

/**
 * Returns true for a host whose URL leads to an IPv4 address that is written otherwise: `010.0.0.1` to 8.0.0.1, `3128` to
 * 0.0.12.56 (URL Standard, "IPv4 parser"). Whoever wrote it meant another host.
 */
const isOtherAddress = (rest: string, { hostname }: URL): boolean => {
  const [authority = ''] = rest.split(/[/\\?#]/);
  const host = authority.slice(authority.lastIndexOf('@') + 1).replace(/:\d*$/, '');
  return isIPv4(hostname) && host !== hostname;
};

/** Parses a proxy's URL; the default scheme is http. Returns the problem if the text is none, and quotes nothing of it. */
const parseProxyUrl = (text: string): URL | string => {
  if (/^["'`]|["'`]$/.test(text))
    return 'must be a URL without quotes, such as http://proxy.corp.example:3128';
  const scheme = SCHEME.exec(text)?.[1];
  const rest = scheme === undefined ? text : text.slice(scheme.length + '://'.length);
  const problem = problemOf(scheme ?? 'http', rest);
  if (problem !== undefined) return problem;
  const url = URL.parse(`${scheme ?? 'http'}://${rest}`);
  if (url === null || !/^(?:[\w.-]+|\[.*\])$/.test(url.hostname)) return NO_URL;
  if (isOtherAddress(rest, url)) return NUMBER;
  // `http:/proxy` and `http://http://proxy` would name the host `http`.
  return url.pathname.startsWith('//') || /^https?$/.test(url.hostname) ? NO_URL : url;
};

/**
 * Reads `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, upper case before lower case, as Go does. An invalid value is reported in
 * `problems`, which quote no value: a proxy's URL may contain a password.
 */
export const parseProxy = (
  env: Environment,
): { readonly proxy: Proxy; readonly problems: readonly string[] } => {
  const problems: string[] = [];
  const textOf = (name: string): string => (env[name] || env[name.toLowerCase()] || '').trim();
  const read = (name: string): URL | undefined => {
    const text = textOf(name);
    const url = text === '' ? undefined : parseProxyUrl(text);
    if (typeof url !== 'string') return url;
    problems.push(`${name} ${url}`);
    return undefined;
  };
  const [https, http, noProxy] = [read('HTTPS_PROXY'), read('HTTP_PROXY'), textOf('NO_PROXY')];
  return {
    proxy: {
      ...(https === undefined ? {} : { https }),
      ...(http === undefined ? {} : { http }),
      ...(noProxy === '' ? {} : { noProxy }),
    },
    problems,
  };
};
