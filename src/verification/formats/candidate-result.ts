import type { Digest } from '../../image/index.ts';
import { SourceFault } from '../../registry/index.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { ProveLogged } from '../log/log-proof.ts';
import type { SignatureProof } from '../signature-proof.ts';
import type { UnreadForm, ValidSignature } from '../verification.ts';

/** The result for one candidate signature. Only `valid` counts; every other kind explains a rejection. */
export type CandidateResult =
  | { readonly kind: 'valid'; readonly signature: ValidSignature; readonly proof: SignatureProof }
  /** No key of the key ring made it. `namesDigest`: it is for this image, so it may count once a missing key is loaded. */
  | { readonly kind: 'unknown-signer'; readonly namesDigest: boolean }
  | { readonly kind: 'other-image'; readonly signed: Digest }
  | { readonly kind: 'invalid'; readonly detail: string }
  /** Not a signature of an image by a key: an attestation, a keyless signature. */
  | { readonly kind: 'foreign'; readonly unread?: UnreadForm | undefined }
  /** The source could not be read. */
  | { readonly kind: 'unread'; readonly fault: SourceFault };

/** The results for the candidates of one format in one source. */
export interface CandidateResults {
  readonly results: readonly CandidateResult[];
  /** True if more candidates were left untried. */
  readonly more: boolean;
}

/** The signatures to look for, in every format. */
export interface SignatureQuery {
  readonly digest: Digest;
  readonly ring: KeyRing;
  /** Undefined: the transparency log is ignored. */
  readonly proveLogged: ProveLogged | undefined;
  /** Repositories, in normal form, under whose names this digest was likely signed. */
  readonly likelyNames: readonly string[];
  /** The number of candidates that are tried in each format. */
  readonly signatureCandidates: number;
  /** The bytes that are read of candidates in each format. */
  readonly signatureBytes: number;
  /** The size limit of the manifest under the signature tag, in bytes. */
  readonly signatureManifestBytes: number;
  /** The size limit of the manifest of a referrer, in bytes. */
  readonly referrerBytes: number;
  /** The size limit of a signed payload, in bytes. */
  readonly payloadBytes: number;
  /** The size limit of a bundle, in bytes. */
  readonly blobBytes: number;
}

export const FOREIGN: CandidateResult = { kind: 'foreign' };

export const invalid = (detail: string): CandidateResult => ({ kind: 'invalid', detail });

/** The result for a candidate whose source threw. Throws every error that is not the source's fault. */
export const unreadFor = (error: unknown): CandidateResult => {
  if (error instanceof SourceFault) return { kind: 'unread', fault: error };
  throw error;
};
