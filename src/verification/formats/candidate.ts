import type { Digest } from '../../image/index.ts';
import type { Source, SourceFault } from '../../registry/index.ts';
import type { CarriedSignature } from '../log/log-proof.ts';
import type { SignatureProof } from '../signature-proof.ts';
import type { CandidateResult, SignatureQuery } from './candidate-result.ts';

/** A signature that was read whole and is not verified yet. */
export interface Candidate {
  readonly signature: CarriedSignature;
  /** The `dev.sigstore.cosign/bundle` annotation, which cosign prints; undefined if the format has none. */
  readonly logBundle: string | undefined;
  readonly proof: SignatureProof;
}

/**
 * The claims of a payload. `foreign`: it is not the signature of an image; `problem`: it should be one, and is malformed.
 */
export type Claims =
  | {
      readonly digests: readonly [Digest, ...Digest[]];
      /** The `docker-reference`; undefined if the format carries none. */
      readonly signedReference: string | undefined;
    }
  | { readonly foreign: true }
  | { readonly problem: string };

/** A candidate of which `size` bytes are left to read. */
export interface FoundCandidate {
  readonly size: number;
  /** Returns the signature, or the result if it needs no verification. Rejects with a `SourceFault` if it is unreadable. */
  readonly read: () => Promise<Candidate | CandidateResult>;
}

/**
 * Finds one candidate, or the result if there is nothing to read of it. `count` is called with the bytes that this took.
 * Rejects with a `SourceFault` if the source could not be read.
 */
export type FindCandidate = (count: (bytes: number) => void) => Promise<FoundCandidate | CandidateResult>;

export interface CandidateList {
  readonly candidates: readonly FindCandidate[];
  /** Bytes that were read for the list itself. */
  readonly bytes: number;
  /** True if the source has more candidates than it listed. */
  readonly more: boolean;
  /** The fault that kept the rest of the list from being read. */
  readonly fault?: SourceFault | undefined;
}

/** One signature format: where its candidates are stored, and what their payloads claim. */
export interface Format {
  /** Lists the candidates for a digest, in the order they are tried. Rejects with a `SourceFault` if it cannot. */
  readonly listCandidates: (
    source: Source,
    query: SignatureQuery,
    signal: AbortSignal,
  ) => Promise<CandidateList>;
  /** Never throws. */
  readonly parseClaims: (payload: Uint8Array) => Claims;
}
