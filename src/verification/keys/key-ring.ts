import type { KeyObject } from 'node:crypto';

/** A public key that may sign. */
export interface TrustedKey {
  /** RFC 7638 thumbprint, base64url. */
  readonly keyId: string;
  /** SHA-256 of the DER SubjectPublicKeyInfo, 64 hex digits. */
  readonly spkiSha256: string;
  /** Where it came from, for people: `istio-release-1`, a path, a URL. */
  readonly source: string;
  readonly pinned: boolean;
  readonly for: readonly string[] | undefined;
  readonly covers: string | undefined;
  readonly publicKey: KeyObject;
}

/** An entry of the configuration whose keys are not in the ring now. */
export interface MissingKey {
  readonly source: string;
  readonly problem: string;
}

/** One moment's keys, by key id. A change makes a new object: compare by identity. */
export interface KeyRing {
  readonly keys: ReadonlyMap<string, TrustedKey>;
  /** Not empty: the ring is incomplete, an unknown signer is then undetermined. */
  readonly missing: readonly MissingKey[];
}
