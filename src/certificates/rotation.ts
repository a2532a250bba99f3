import type { CertificateAuthority, Leaf, State } from './state.ts';
import { isValid } from './validity.ts';

/** A leaf that this process serves, and the CA that clients trust it by. */
export interface ServedCertificate {
  readonly leaf: Leaf;
  readonly authority: CertificateAuthority;
}

/** What the state has to serve, with its authority; undefined: nothing. */
export const servedBy = ({ leaf, trusted }: State): ServedCertificate | undefined => {
  const authority = trusted.find(({ id }) => id === leaf?.issuer);
  return leaf === undefined || authority === undefined ? undefined : { leaf, authority };
};

/**
 * Whether a process moves on from what it serves. To a leaf of another CA it does only when that CA has been trusted for
 * `overlap`, as far as it saw itself, so that every API server has heard of it; unless what it serves is no good any more.
 */
export const mayRotate = (
  offered: ServedCertificate,
  served: ServedCertificate | undefined,
  context: {
    readonly state: State;
    readonly trustedSince: number;
    readonly now: number;
    readonly overlap: number;
  },
): boolean => {
  if (served === undefined) return true;
  if (served.leaf.cert === offered.leaf.cert) return false;
  const { state, trustedSince, now, overlap } = context;
  const isTrusted = state.trusted.some(({ id }) => id === served.authority.id);
  if (!isTrusted || !isValid(served.leaf, now)) return true;
  return served.authority.id === offered.authority.id || now - trustedSince >= overlap;
};
