import { BlockList, isIP } from 'node:net';
import { domainToASCII } from 'node:url';

/** The host and port of a URL; an IPv6 address is without brackets. */
interface Target {
  readonly hostname: string;
  readonly port: string;
}

type Exempts = (target: Target) => boolean;

interface Address {
  readonly family: 'ipv4' | 'ipv6';
  readonly text: string;
}

const ipv4Of = (high: string, low: string): string => {
  const bits = parseInt(high, 16) * 0x1_0000 + parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
};

/** Parses an address; one of IPv4 that is written as IPv6 (`::ffff:10.0.0.1`) is one of IPv4. One with a zone is none. */
const parseAddress = (text: string): Address | undefined => {
  const version = text.includes('%') ? 0 : isIP(text);
  if (version === 0) return undefined;
  if (version === 4) return { family: 'ipv4', text };
  const [, high, low] = /^\[::ffff:([^:]+):([^:]+)\]$/.exec(new URL(`http://[${text}]`).hostname) ?? [];
  return high === undefined || low === undefined
    ? { family: 'ipv6', text }
    : { family: 'ipv4', text: ipv4Of(high, low) };
};

/** Matches hosts that are addresses, of the same family only: `::/0` holds no address of IPv4. */
const withinSubnet = ({ family, text }: Address, bits: number): Exempts => {
  const list = new BlockList();
  list.addSubnet(text, bits, family);
  return ({ hostname }) => {
    const address = parseAddress(hostname);
    return address?.family === family && list.check(address.text, family);
  };
};

/** The length of an address, in bits. */
const LENGTHS = { ipv4: 32, ipv6: 128 } as const;

const parseSubnet = (text: string): Exempts | undefined => {
  const [, written = '', length] = /^([^/]+)\/(\d+)$/.exec(text) ?? [];
  const address = parseAddress(written);
  if (address === undefined) return undefined;
  // The length counts the bits of the address as it is written.
  const isMapped = address.family === 'ipv4' && written.includes(':');
  const bits = Number(length) - (isMapped ? LENGTHS.ipv6 - LENGTHS.ipv4 : 0);
  return bits < 0 || bits > LENGTHS[address.family] ? undefined : withinSubnet(address, bits);
};

/**
 * `corp.example` matches itself and every name below it; `.corp.example` and `*.corp.example` match names below. None
 * matches an address: `.0.1` is no suffix of 10.0.0.1.
 */
const createNameRule = (host: string): Exempts => {
  const below = host.replace(/^\*(?=\.)/, '');
  // A URL has international names in Punycode.
  const name = /[^\0-\x7f]/.test(below) ? domainToASCII(below) || below : below;
  const suffix = name.startsWith('.') ? name : `.${name}`;
  return ({ hostname }) =>
    parseAddress(hostname) === undefined && (hostname.endsWith(suffix) || hostname === name);
};

/** `HOST:PORT`, where HOST is a name, an IPv4 address, or anything in brackets (Go's `net.SplitHostPort`). */
const HOST_AND_PORT = /^(?:\[([^[\]]*)\]|([^[\]:]*)):([^[\]:]*)$/;

const parseEntry = (text: string): Exempts | undefined => {
  if (text === '*') return () => true;
  const subnet = parseSubnet(text);
  if (subnet !== undefined) return subnet;
  const [, bracketed, plain, port = ''] = HOST_AND_PORT.exec(text) ?? [];
  const host = bracketed ?? plain ?? text;
  if (host === '') return undefined;
  const address = parseAddress(host);
  const exempts =
    address === undefined ? createNameRule(host) : withinSubnet(address, LENGTHS[address.family]);
  return (target) => (port === '' || port === target.port) && exempts(target);
};

const isLoopback = withinSubnet({ family: 'ipv4', text: '127.0.0.0' }, 8);

/**
 * Parses `NO_PROXY` as Go does (golang.org/x/net/http/httpproxy): names with those below them, addresses and CIDRs for hosts
 * written as addresses, names and addresses with or without a port, and `*` for everything. An entry that is none of them
 * matches nothing. Loopback hosts are always exempt.
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
