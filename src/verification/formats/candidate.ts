import type { Digest } from '../../image/index.ts';
import type { Source } from '../../registry/index.ts';
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

/**
 * Reads one candidate: the signature, or the result if the candidate needs no verification. Rejects with a
 * `SourceFault` if the source could not be read.
 */
export type ReadCandidate = () => Promise<Candidate | CandidateResult>;

export interface CandidateList {
  readonly candidates: readonly ReadCandidate[];
  /** True if the source has more candidates than it listed. */
  readonly more: boolean;
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
