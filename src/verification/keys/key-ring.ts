import type { KeyObject } from 'node:crypto';

/** A public key whose signatures are trusted. */
export interface TrustedKey {
  /** RFC 7638 thumbprint, base64url. */
  readonly keyId: string;
  /** SHA-256 of the DER SubjectPublicKeyInfo, 64 hex digits. */
  readonly spkiSha256: string;
  /** The origin of the key, for people: `istio-release-1`, a path, a URL. */
  readonly source: string;
  readonly pinned: boolean;
  readonly for: readonly string[] | undefined;
  readonly covers: string | undefined;
  readonly publicKey: KeyObject;
}

/** An entry of the configuration whose keys are not in the key ring. */
export interface MissingKey {
  readonly source: string;
  readonly problem: string;
  /** True if its URL was not fetched, or did not respond: the entry itself may be right. */
  readonly unfetched?: true;
}

/** The current keys, by key id. Immutable: each change creates a new object, so compare by identity. */
export interface KeyRing {
  readonly keys: ReadonlyMap<string, TrustedKey>;
  /** If not empty, the key ring is incomplete: an unknown signer is then undetermined. */
  readonly missing: readonly MissingKey[];
}
