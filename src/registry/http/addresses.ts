import { lookup as systemLookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { callbackify } from 'node:util';
import { type AddressClass, classOfAddress } from '../address-class.ts';

export interface Address {
  readonly address: string;
  readonly family: number;
}

/** Every address of a host name. */
export type LookUp = (hostname: string) => Promise<readonly Address[]>;

/** Whether a host may be connected to that has addresses of these classes, none of them `never`. */
export type AddressRule = (classes: readonly AddressClass[]) => boolean;

/** A host is at an address that is not to be connected to. */
export class AddressForbidden extends Error {
  override readonly name = 'AddressForbidden';
}

/** A host name has no address, or none that could be found out. */
export class LookupFailed extends Error {
  override readonly name = 'LookUpFailed';
}

/** Throws {@link AddressForbidden} where one of the addresses is `never`, or the rule does not let them pass. */
export const checkAddresses = (hostname: string, addresses: readonly string[], allow: AddressRule): void => {
  const classes = addresses.map(classOfAddress);
  const never = classes.indexOf('never');
  if (never !== -1)
    throw new AddressForbidden(
      `${hostname} is at ${addresses[never]}, a link-local, metadata or reserved address, which is never followed`,
    );
  if (!allow(classes))
    throw new AddressForbidden(
      `${hostname} is at ${addresses.join(', ')}, a private address, which a registry at a public one may not send us to`,
    );
};

const resolveAll: LookUp = (hostname) => systemLookup(hostname, { all: true });

/**
 * A look-up for a socket that hands over only addresses that were checked: what is connected to is what was checked, so
 * a name that resolves differently a moment later gains nothing (DNS rebinding). It ends in {@link AddressForbidden} or
 * {@link LookupFailed}.
 */
export const createCheckedLookup = (allow: AddressRule, lookUp: LookUp = resolveAll): LookupFunction => {
  const find = callbackify(async (hostname: string): Promise<readonly [Address, ...Address[]]> => {
    const found = await lookUp(hostname).catch((error: unknown) => {
      throw new LookupFailed(`${hostname} cannot be resolved`, { cause: error });
    });
    const [first, ...others] = found;
    if (first === undefined) throw new LookupFailed(`${hostname} has no address`);
    checkAddresses(
      hostname,
      found.map(({ address }) => address),
      allow,
    );
    return [first, ...others];
  });
  return (hostname, options, callback) =>
    find(hostname, (error, addresses) => {
      if (error !== null) callback(error, '', 0);
      else if (options.all === true) callback(null, [...addresses]);
      else callback(null, addresses[0].address, addresses[0].family);
    });
};
