import type { Digest } from '../../image/index.ts';
import { SourceFault } from '../../registry/index.ts';
import { verifySignature } from '../ecdsa.ts';
import type { KeyRing, TrustedKey } from '../keys/key-ring.ts';
import type { ProveLogged } from '../log/log-proof.ts';
import type { SignatureProof } from '../signature-proof.ts';
import type { ValidSignature } from '../verification.ts';

/** What one candidate came to. Only `valid` counts; the others explain. */
export type CandidateResult =
  | { readonly kind: 'valid'; readonly signature: ValidSignature; readonly proof: SignatureProof }
  /** No key of the ring made it. `claims`: it names this image, so a key we lack could make it count. */
  | { readonly kind: 'stranger'; readonly claims: boolean }
  | { readonly kind: 'other-image'; readonly signed: Digest }
  | { readonly kind: 'invalid'; readonly detail: string }
  /** Not a signature of an image by a key: somebody's attestation, a keyless signature. */
  | { readonly kind: 'foreign' }
  /** The source could not be asked for what was signed. */
  | { readonly kind: 'unread'; readonly fault: SourceFault };

/** What one place signatures are kept in holds for a digest. */
export interface CandidateResults {
  readonly results: readonly CandidateResult[];
  /** Whether more candidates were left untried. */
  readonly more: boolean;
}

/** What is looked for, by whatever format. */
export interface SignatureQuery {
  readonly digest: Digest;
  readonly ring: KeyRing;
  /** Undefined: the transparency log is ignored. */
  readonly proveLogged: ProveLogged | undefined;
  /** Repositories, in normal form, under whose names this digest was likely signed. */
  readonly likelyNames: readonly string[];
  /** How many candidates are tried of what stands under the signature tag, and of what refers to the digest. */
  readonly signatureCandidates: number;
  /** Bytes a signed payload may have. */
  readonly payloadBytes: number;
  /** Bytes a bundle may have. */
  readonly blobBytes: number;
}

export const invalid = (detail: string): CandidateResult => ({ kind: 'invalid', detail });

/** What a fault of the source comes to; anything else that was thrown is thrown on. */
export const unreadFor = (error: unknown): CandidateResult => {
  if (error instanceof SourceFault) return { kind: 'unread', fault: error };
  throw error;
};

/** The key of the ring that made a signature over these bytes; undefined: none. */
export const findSigner = (
  ring: KeyRing,
  message: Uint8Array,
  signature: Uint8Array,
): TrustedKey | undefined => {
  for (const key of ring.keys.values()) if (verifySignature(key.publicKey, message, signature)) return key;
  return undefined;
};
