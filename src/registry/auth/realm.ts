import { getDomain } from 'tldts';
import { isAddressLiteral } from '../address-class.ts';

/** The token services that belong to registries of another name. */
const BUILT_IN_REALMS: Readonly<Record<string, readonly string[]>> = {
  'docker.io': ['auth.docker.io'],
};

/** Where a registry of this name answers. */
export const endpointOf = (host: string): string => (host === 'docker.io' ? 'registry-1.docker.io' : host);

export const hostnameOf = (host: string): string => host.replace(/:\d+$/, '');

/** The registrable domain by the public suffix list; an address, or a name without one, stands for itself. */
const domainOf = (hostname: string): string =>
  isAddressLiteral(hostname) ? hostname : (getDomain(hostname, { allowPrivateDomains: true }) ?? hostname);

/** How a token realm is known to belong to a registry. */
export type RealmClaim =
  /** Its own host, or its registrable domain. */
  | 'own'
  /** A built-in pair, or the configuration's `tokenRealms`. */
  | 'named'
  | undefined;

/** Whether a registry may send its visitors, and their credentials, to this realm. */
export const realmClaimOf = (realm: URL, registry: string, tokenRealms: readonly string[]): RealmClaim => {
  const named = [...tokenRealms, ...(BUILT_IN_REALMS[registry] ?? [])];
  if (named.includes(realm.host) || named.includes(realm.hostname)) return 'named';
  return domainOf(realm.hostname) === domainOf(hostnameOf(endpointOf(registry))) ? 'own' : undefined;
};
