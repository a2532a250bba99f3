import type { CertificateAuthority, Leaf, State } from './state.ts';
import { isValid } from './validity.ts';

/** A serving certificate, and the CA that clients trust it by. */
export interface ServedCertificate {
  readonly leaf: Leaf;
  readonly authority: CertificateAuthority;
}

/** Returns the certificate that the state has to serve, with its CA; undefined if it has none. */
export const servedBy = ({ leaf, trusted }: State): ServedCertificate | undefined => {
  const authority = trusted.find(({ id }) => id === leaf?.issuer);
  return leaf === undefined || authority === undefined ? undefined : { leaf, authority };
};

/**
 * True if this process may rotate to the offered certificate. One of another CA must wait until that CA has been trusted
 * for `overlap`, as observed by this process, so that every API server knows it; unless the served one is unusable.
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
