import type { KeyObject } from 'node:crypto';
import type { SignatureFormat } from '../signature-format.ts';

/** What each signature format carries of the transparency log. None of it is verified. */
interface CarriedOfLog {
  readonly 'simple-signing': {
    /** The annotation `dev.sigstore.cosign/bundle`: JSON text. */
    readonly annotation: string | undefined;
  };
  readonly 'sigstore-bundle': {
    /** `verificationMaterial.tlogEntries` as parsed JSON, with the names that protojson writes (camelCase). */
    readonly entries: readonly unknown[];
  };
}

/** A signature as its format carries it. */
export type CarriedSignature = {
  /** DER. */
  readonly signature: Uint8Array;
  readonly signedBytes: Uint8Array;
  /** The signed bytes themselves, or the content of the envelope that they encode. */
  readonly payload: Uint8Array;
} & { readonly [F in SignatureFormat]: { readonly format: F } & CarriedOfLog[F] }[SignatureFormat];

/** A signature that was verified with `key`. Its log entries are not verified. */
export type LoggedSignature = CarriedSignature & { readonly key: KeyObject };

/** Where a pinned log has the entry of exactly this signature, over these bytes, by this key. */
export interface LogProof {
  /** Decimal; an index can exceed a safe integer. */
  readonly logIndex: string;
  /** Seconds since the epoch; undefined where the log proves no time (Rekor v2). */
  readonly integratedTime: number | undefined;
}

/** Proves that a signature is in a transparency log, offline. A `problem` is one line. Never throws. */
export type ProveLogged = (
  logged: LoggedSignature,
) => { readonly proof: LogProof } | { readonly problem: string };
