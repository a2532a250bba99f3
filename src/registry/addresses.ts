import { lookup as systemLookup } from 'node:dns/promises';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** What an address is to a program that strangers can make fetch things. */
export type AddressClass = 'public' | 'private' | 'never';

export interface Address {
  readonly address: string;
  readonly family: number;
}

/** Every address of a host name. */
export type LookUp = (hostname: string) => Promise<readonly Address[]>;

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
 * addresses; the unspecified address, which reaches this machine; multicast. NAT64 (RFC 6052) spells the first again.
 * A BlockList compares IPv4-mapped addresses with its IPv4 rules.
 */
const NEVER = listOf([
  '169.254.0.0/16',
  'fe80::/10',
  '64:ff9b::a9fe:0/112',
  '100.100.100.200/32',
  '168.63.129.16/32',
  '192.0.0.192/32',
  'fd00:ec2::254/128',
  'fd20:ce::254/128',
  '0.0.0.0/8',
  '::/128',
  '224.0.0.0/4',
  '240.0.0.0/4',
  'ff00::/8',
]);

/** Private and loopback addresses (RFC 1918, 6598, 4193). */
const PRIVATE = listOf([
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '::1/128',
  'fc00::/7',
  'fec0::/10',
]);

/** The class of an IP address, in brackets or with a zone or not. What is no address is `never`. */
export const classOfAddress = (text: string): AddressClass => {
  const address = text.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  const version = isIP(address);
  if (version === 0) return 'never';
  const family = version === 6 ? 'ipv6' : 'ipv4';
  if (NEVER.check(address, family)) return 'never';
  return PRIVATE.check(address, family) ? 'private' : 'public';
};

/** Whether a URL's host is an address itself: then no name is looked up, and it must be checked as it stands. */
export const isAddressLiteral = (hostname: string): boolean => isIP(hostname.replace(/^\[|\]$/g, '')) !== 0;

/** A host resolves to an address that is not to be connected to. */
export class AddressForbidden extends Error {
  override readonly name = 'AddressForbidden';
}

/** Throws {@link AddressForbidden} unless `allow` lets the class of this address pass. */
export const checkAddress = (
  hostname: string,
  address: string,
  allow: (found: AddressClass) => boolean,
): void => {
  const found = classOfAddress(address);
  if (found === 'never' || !allow(found))
    throw new AddressForbidden(
      `${hostname} is at ${address}, ${found === 'never' ? 'a link-local, metadata or reserved address' : 'a private address'}, which is not followed`,
    );
};

const resolveAll: LookUp = (hostname) => systemLookup(hostname, { all: true });

/**
 * A look-up for a socket that hands over only addresses that were checked: what is connected to is what was checked, so
 * a name that resolves differently a moment later gains nothing (DNS rebinding).
 */
export const createCheckedLookup =
  (allow: (found: AddressClass) => boolean, lookUp: LookUp = resolveAll): LookupFunction =>
  (hostname, options, callback) => {
    const answer = async (): Promise<void> => {
      const addresses = await lookUp(hostname);
      for (const { address } of addresses) checkAddress(hostname, address, allow);
      const [first] = addresses;
      if (first === undefined) throw new Error(`${hostname} has no address`);
      if (options.all === true) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    };
    answer().catch((error: unknown) => callback(error as Error, '', 0));
  };
