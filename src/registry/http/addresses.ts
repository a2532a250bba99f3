import { lookup as systemLookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { callbackify } from 'node:util';
import { type AddressClass, classOfAddress } from '../address-class.ts';

export interface Address {
  readonly address: string;
  readonly family: number;
}

/** Resolves a host name to all its addresses. */
export type LookUp = (hostname: string) => Promise<readonly Address[]>;

/** True if a host whose addresses are of these classes, none of them `never`, may be connected to. */
export type AddressRule = (classes: readonly AddressClass[]) => boolean;

/** A host has an address that must not be connected to. */
export class AddressForbidden extends Error {
  override readonly name = 'AddressForbidden';
}

/** A host name has no address, or cannot be resolved. */
export class LookupFailed extends Error {
  override readonly name = 'LookupFailed';
}

/** Throws {@link AddressForbidden} if one of the addresses is `never`, or the rule does not allow them. */
export const checkAddresses = (hostname: string, addresses: readonly string[], allow: AddressRule): void => {
  const classes = addresses.map(classOfAddress);
  const never = classes.indexOf('never');
  if (never !== -1)
    throw new AddressForbidden(
      `${hostname} is at ${addresses[never]}, a link-local, metadata or reserved address, which is never connected to`,
    );
  if (!allow(classes))
    throw new AddressForbidden(
      `${hostname} is at ${addresses.join(', ')}, a private address, which a registry at a public address must not send clients to`,
    );
};

/** The system's resolver. */
export const resolveAll: LookUp = (hostname) => systemLookup(hostname, { all: true });

/**
 * Creates a lookup for a socket that returns only checked addresses. The socket connects to the address that was checked,
 * so a name that resolves differently a moment later gains nothing (DNS rebinding). It fails with {@link AddressForbidden}
 * or {@link LookupFailed}.
 */
export const createCheckedLookup = (allow: AddressRule, lookUp: LookUp = resolveAll): LookupFunction => {
  const resolve = callbackify(async (hostname: string): Promise<readonly [Address, ...Address[]]> => {
    const addresses = await lookUp(hostname).catch((error: unknown) => {
      throw new LookupFailed(`${hostname} cannot be resolved`, { cause: error });
    });
    const [first, ...others] = addresses;
    if (first === undefined) throw new LookupFailed(`${hostname} has no address`);
    checkAddresses(
      hostname,
      addresses.map(({ address }) => address),
      allow,
    );
    return [first, ...others];
  });
  return (hostname, options, callback) =>
    resolve(hostname, (error, addresses) => {
      if (error !== null) callback(error, '', 0);
      else if (options.all === true) callback(null, [...addresses]);
      else callback(null, addresses[0].address, addresses[0].family);
    });
};
