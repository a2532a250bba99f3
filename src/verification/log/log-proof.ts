import type { KeyObject } from 'node:crypto';
import type { SignatureFormat } from '../signature-format.ts';

/** The log entries that a signature carries, by format. They are not verified. */
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

/** The position of the entry for exactly this signature, these bytes and this key in a trusted log. */
export interface LogProof {
  /** Decimal; an index can exceed a safe integer. */
  readonly logIndex: string;
  /** Seconds since the epoch; undefined if the log proves no time (Rekor v2). */
  readonly integratedTime: number | undefined;
}

/** The proof of a trusted log, or a problem in one line. */
export type LogResult = { readonly proof: LogProof } | { readonly problem: string };

/** Proves offline that a transparency log contains a signature. Never throws. */
export type ProveLogged = (logged: LoggedSignature) => LogResult;
