import type { Digest } from '../image/index.ts';

export type Mode = 'enforce' | 'warn' | 'audit';

/** The choice for undetermined images. It covers a registry that does not respond, never what an attacker can choose. */
export type OutageChoice = 'deny' | 'allow-verified-tag' | 'allow';

/** Where an Istio image must be pinned by the mutating webhook: in `enforce` mode, in every mode, or nowhere. */
export type PinScope = 'enforce' | 'always' | 'never';

export interface Exemption {
  /** Patterns for the normal form `registry/path:tag` or `registry/path@digest`; the host is literal, `*` matches within one path segment. */
  readonly images: readonly string[];
  /** Names of namespaces; `['*']` means all. */
  readonly namespaces: readonly string[];
  readonly reason: string;
  readonly owner: string;
  /** The last day, `2027-03-01`: the exemption ends at 00:00 UTC after it. */
  readonly expires: string;
}

/** The part of the configuration that decides reviews. */
export interface Rules {
  readonly undetermined: {
    readonly enforce: OutageChoice;
    readonly critical: OutageChoice;
    /** Milliseconds since the tag was last resolved. */
    readonly tagOutageWindow: number;
  };
  readonly lookAlikes: 'deny' | 'warn' | 'ignore';
  readonly unrecognised: 'deny' | 'warn' | 'ignore';
  readonly requireDigest: boolean;
  readonly pin: PinScope;
  readonly revoked: readonly { readonly digest: Digest; readonly reason: string }[];
  readonly exemptions: readonly Exemption[];
}

/** True if Istio images must be pinned in this mode. */
export const mustPin = ({ pin }: Pick<Rules, 'pin'>, mode: Mode): boolean =>
  pin === 'always' || (pin === 'enforce' && mode === 'enforce');
