import { getDomain } from 'tldts';
import { isAddressLiteral } from '../address-class.ts';
import type { NamedBy } from '../http/agents.ts';
import { type FaultRemedy, SourceFault } from '../source.ts';
import type { Challenge } from './challenge.ts';

/** The token service that a bearer challenge names; the registry is permitted to name it. */
export interface TokenRealm {
  readonly realm: URL;
  readonly namedBy: NamedBy;
  readonly service: string | undefined;
}

/** Returns a text that is equal for equal token services. */
export const keyOfRealm = ({ realm, service = '' }: TokenRealm): string => `${realm.href} ${service}`;

export interface RealmOptions {
  /** The registry's name in normal form. */
  readonly registry: string;
  /** Host and port that the registry is reached at, as a URL has them. */
  readonly endpoint: string | undefined;
  readonly tokenRealms: readonly string[];
  readonly plainHttpHost: string | undefined;
}

/** The token services of registries that have another registrable domain. */
const BUILT_IN_REALMS: Readonly<Record<string, readonly string[]>> = {
  'docker.io': ['auth.docker.io'],
};

/** Returns the host that serves the API of a registry of this name. */
export const endpointOf = (host: string): string => (host === 'docker.io' ? 'registry-1.docker.io' : host);

const hostnameOf = (host: string): string => host.replace(/:\d+$/, '');

/** Returns the registrable domain by the public suffix list; an address or a name without one is its own. */
const domainOf = (hostname: string): string =>
  isAddressLiteral(hostname) ? hostname : (getDomain(hostname, { allowPrivateDomains: true }) ?? hostname);

/** The reason that a token realm belongs to a registry; undefined: it does not. */
export type RealmClaim =
  /** The realm is on the registry's own host or registrable domain. */
  | 'own'
  /** The realm is built in, or listed in the configuration's `tokenRealms`. */
  | 'named'
  | undefined;

/** Decides whether a registry may send clients, with their credentials, to this realm. */
export const realmClaimOf = (realm: URL, registry: string, tokenRealms: readonly string[]): RealmClaim => {
  const named = [...tokenRealms, ...(BUILT_IN_REALMS[registry] ?? [])];
  if (named.includes(realm.host) || named.includes(realm.hostname)) return 'named';
  return domainOf(realm.hostname) === domainOf(hostnameOf(endpointOf(registry))) ? 'own' : undefined;
};

/** Parses the realm of a bearer challenge. Throws a fault if this registry may not name it. */
export const parseRealm = (challenge: Challenge, options: RealmOptions): TokenRealm => {
  const { registry, endpoint, tokenRealms, plainHttpHost } = options;
  const refuse = (detail: string, remedy: FaultRemedy): SourceFault =>
    new SourceFault('refused', detail, { asked: true, remedy });
  const realm = URL.parse(challenge.params['realm'] ?? '');
  if (realm === null) throw refuse(`the token realm of ${registry} is not a URL`, 'registry-setup');
  if (realm.protocol !== 'https:' && !(realm.protocol === 'http:' && realm.host === plainHttpHost))
    throw refuse(`the token realm of ${registry}, ${realm.host}, is not https`, 'registry-setup');
  const claim = realmClaimOf(realm, registry, tokenRealms);
  if (claim === undefined)
    throw refuse(
      `the token realm of ${registry} is on another host, ${realm.host}; if that is correct, list it in registries[].tokenRealms`,
      'token-realm',
    );
  // A port speaks one protocol: whoever names the other must not make the registry look down.
  const isOwn = realm.host === endpoint && (realm.protocol === 'http:') === (endpoint === plainHttpHost);
  const namedBy = claim === 'named' ? 'configuration' : isOwn ? 'registry' : 'response';
  return { realm, namedBy, service: challenge.params['service'] };
};
