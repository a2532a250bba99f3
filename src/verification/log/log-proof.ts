import type { KeyObject } from 'node:crypto';

/** A signature that verified, with what its format carries of the transparency log. The entries are unproven. */
export type LoggedSignature = {
  readonly key: KeyObject;
  /** DER. */
  readonly signature: Uint8Array;
} & (
  | {
      readonly format: 'simple-signing';
      /** The signed bytes. */
      readonly payload: Uint8Array;
      /** The annotation `dev.sigstore.cosign/bundle`: JSON text. */
      readonly annotation: string | undefined;
    }
  | {
      readonly format: 'sigstore-bundle';
      /** The DSSE payload and its type; the signed bytes are their PAE (DSSE protocol). */
      readonly payload: Uint8Array;
      readonly payloadType: string;
      /** `verificationMaterial.tlogEntries` as parsed JSON, with the names that protojson writes (camelCase). */
      readonly entries: readonly unknown[];
    }
);

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
