import { BlockList, isIP } from 'node:net';

/** The class of an address, against server-side request forgery; `never`: it must not be contacted. */
export type AddressClass = 'public' | 'private' | 'never';

const listOf = (subnets: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [address = '', bits] = subnet.split('/');
    list.addSubnet(address, Number(bits), address.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
};

/**
 * Link-local addresses (RFC 3927, RFC 4291 §2.5.6), where clouds serve machine credentials; their other metadata
 * addresses; the unspecified address, which reaches this machine; Teredo (RFC 4380), which hides an address; multicast.
 */
const NEVER = listOf([
  '169.254.0.0/16',
  'fe80::/10',
  '100.100.100.200/32',
  '168.63.129.16/32',
  '192.0.0.192/32',
  'fd00:ec2::/32',
  'fd20:ce::/32',
  '0.0.0.0/8',
  '::/128',
  '2001::/32',
  '224.0.0.0/4',
  '240.0.0.0/4',
  'ff00::/8',
]);

/** Private and loopback addresses (RFC 1918, 6598, 2544, 4193), and the NAT64 prefix of local use (RFC 8215). */
const PRIVATE = listOf([
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '198.18.0.0/15',
  '::1/128',
  'fc00::/7',
  'fec0::/10',
  '64:ff9b:1::/48',
]);

/** IPv6 addresses that embed an IPv4 address in their last 32 bits: NAT64 (RFC 6052), SIIT, compatible (RFC 4291). */
const IPV4_AT_END = listOf(['64:ff9b::/96', '::ffff:0:0:0/96', '::/96']);
/** 6to4 (RFC 3056) embeds the IPv4 address in bits 16 to 48. */
const IPV4_AFTER_PREFIX = listOf(['2002::/16']);

const plainOf = (text: string): string => text.replace(/^\[|\]$/g, '').replace(/%.*$/, '');

/** Returns the eight groups of an IPv6 address. */
const groupsOf = (address: string): readonly number[] => {
  // A URL writes the whole address in hexadecimal, even if its end was dotted.
  const [head = '', tail] = (URL.parse(`http://[${address}]`)?.hostname ?? '').slice(1, -1).split('::');
  const read = (part: string): number[] =>
    part.split(':').flatMap((group) => (group === '' ? [] : parseInt(group, 16)));
  const [before, after] = [read(head), read(tail ?? '')];
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
};

const ipv4Of = (high = 0, low = 0): string => `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;

/** Returns the IPv4 address that an IPv6 address embeds, if any. A BlockList handles IPv4-mapped ones itself. */
const embeddedIn = (address: string): string | undefined => {
  const groups = groupsOf(address);
  if (IPV4_AFTER_PREFIX.check(address, 'ipv6')) return ipv4Of(groups[1], groups[2]);
  return IPV4_AT_END.check(address, 'ipv6') ? ipv4Of(groups[6], groups[7]) : undefined;
};

const classIn = (address: string, family: 'ipv4' | 'ipv6'): AddressClass => {
  if (NEVER.check(address, family)) return 'never';
  return PRIVATE.check(address, family) ? 'private' : 'public';
};

/** Classifies an IP address, with or without brackets and zone. A text that is not an address is `never`. */
export const classOfAddress = (text: string): AddressClass => {
  const address = plainOf(text);
  const version = isIP(address);
  if (version === 0) return 'never';
  if (version === 4) return classIn(address, 'ipv4');
  const ownClass = classIn(address, 'ipv6');
  const embedded = ownClass === 'public' ? embeddedIn(address) : undefined;
  return embedded === undefined ? ownClass : classIn(embedded, 'ipv4');
};

/** True if a URL's host is an address: no name is looked up then, so it must be checked as written. */
export const isAddressLiteral = (hostname: string): boolean => isIP(hostname.replace(/^\[|\]$/g, '')) !== 0;
