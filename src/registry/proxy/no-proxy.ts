import { BlockList, isIP } from 'node:net';

/** The host and port of a URL; an IPv6 address is without brackets. */
interface Target {
  readonly hostname: string;
  readonly port: string;
}

type Exempts = (target: Target) => boolean;

const familyOf = (address: string): 'ipv4' | 'ipv6' | undefined => {
  const version = isIP(address);
  return version === 0 ? undefined : version === 4 ? 'ipv4' : 'ipv6';
};

const parseSubnet = (text: string): Exempts | undefined => {
  const [, address = '', bits] = /^(.+)\/(\d{1,3})$/.exec(text) ?? [];
  const family = familyOf(address);
  if (family === undefined || Number(bits) > (family === 'ipv4' ? 32 : 128)) return undefined;
  const list = new BlockList();
  list.addSubnet(address, Number(bits), family);
  return ({ hostname }) => {
    const targetFamily = familyOf(hostname);
    return targetFamily !== undefined && list.check(hostname, targetFamily);
  };
};

const parseAddress = (host: string, port: string): Exempts | undefined => {
  const family = familyOf(host);
  if (family === undefined) return undefined;
  const list = new BlockList();
  list.addAddress(host, family);
  return (target) => {
    const targetFamily = familyOf(target.hostname);
    return (
      targetFamily !== undefined &&
      list.check(target.hostname, targetFamily) &&
      (port === '' || port === target.port)
    );
  };
};

/** `corp.example` matches itself and every subdomain; `.corp.example` and `*.corp.example` match subdomains. */
const parseName = (host: string, port: string): Exempts => {
  const below = host.replace(/^\*(?=\.)/, '');
  const suffix = below.startsWith('.') ? below : `.${below}`;
  return (target) =>
    (target.hostname.endsWith(suffix) || target.hostname === below) && (port === '' || port === target.port);
};

const parseEntry = (text: string): Exempts | undefined => {
  if (text === '*') return () => true;
  const subnet = parseSubnet(text);
  if (subnet !== undefined) return subnet;
  const [, bracketed, plain = '', port = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(text) ?? [
    undefined,
    undefined,
    text,
  ];
  const host = bracketed ?? plain;
  return host === '' ? undefined : (parseAddress(host, port) ?? parseName(host, port));
};

const isLoopback = parseSubnet('127.0.0.0/8') as Exempts;

/**
 * Parses `NO_PROXY` as Go does (golang.org/x/net/http/httpproxy): names with their subdomains, addresses and CIDRs for hosts
 * written as addresses, each with or without a port, and `*` for everything. Loopback hosts are always exempt.
 */
export const createExempts = (text: string): Exempts => {
  const entries = text
    .split(',')
    .map((entry) => parseEntry(entry.trim().toLowerCase()))
    .filter((entry) => entry !== undefined);
  return (target) =>
    target.hostname === 'localhost' ||
    target.hostname === '::1' ||
    isLoopback(target) ||
    entries.some((exempts) => exempts(target));
};
