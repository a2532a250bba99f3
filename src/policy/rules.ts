import type { Digest } from '../image/index.ts';

export type Mode = 'enforce' | 'warn' | 'audit';

/** What *undetermined* means. Never covers what an attacker can choose (design.md, "undetermined"). */
export type OutageChoice = 'deny' | 'allow-verified-tag' | 'allow';

export interface Exemption {
  /** Patterns over the normal form `registry/path:tag` or `registry/path@digest`; host literal, `*` within one path segment. */
  readonly images: readonly string[];
  /** Namespace names; `['*']`: all. */
  readonly namespaces: readonly string[];
  readonly reason: string;
  readonly owner: string;
  /** `2027-03-01`: ends at 00:00 UTC after that date. */
  readonly expires: string;
}

/** The part of the configuration that decides. */
export interface Rules {
  readonly undetermined: {
    readonly enforce: OutageChoice;
    readonly critical: OutageChoice;
    /** Milliseconds after the tag's last answer. */
    readonly tagOutageWindow: number;
  };
  readonly lookAlikes: 'deny' | 'warn' | 'ignore';
  readonly unrecognised: 'deny' | 'warn' | 'ignore';
  readonly requireDigest: boolean;
  readonly revoked: readonly { readonly digest: Digest; readonly reason: string }[];
  readonly exemptions: readonly Exemption[];
}
