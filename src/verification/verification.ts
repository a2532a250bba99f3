import type { Digest, ImageReference, Repository } from '../image/index.ts';
import type { LogProof } from './log/log-proof.ts';
import type { SignatureFormat } from './signature-format.ts';

/** One signature that verifies over this digest with a key of the ring, whatever use it is put to. */
export interface ValidSignature {
  /** RFC 7638 thumbprint of the key that made it. */
  readonly keyId: string;
  readonly format: SignatureFormat;
  /** The `docker-reference` in the signed bytes; undefined where the format carries none. */
  readonly signedReference: string | undefined;
  /** The signed bytes, as text. */
  readonly payload: string;
  /** The unverified `dev.sigstore.cosign/bundle` annotation, kept only because cosign prints it. */
  readonly logBundle: string | undefined;
  /** What was found in the transparency log; undefined: it is ignored. */
  readonly logged: LogResult | undefined;
}

/** Proven by a pinned log, or why not, in one line. */
export type LogResult = { readonly proof: LogProof } | { readonly problem: string };

/** What one image use asks of a digest's signatures. Compared at every use, remembered or not. */
export interface VerificationRequest {
  readonly reference: ImageReference;
  /**
   * Names of the hub or mirror of this use, with the aliases of a hub, that a key's `for` is compared with.
   * Empty: not an image of a hub or mirror, so a key that is limited to some does not count.
   */
  readonly places: readonly string[];
  /** The component asked for; undefined: none, so none is compared. */
  readonly component: string | undefined;
  /** The known component a signed `docker-reference` names, undefined where it names none. */
  readonly componentOf: (signedReference: string) => string | undefined;
  /** Repositories to look for signatures in, in order. */
  readonly signaturesAt: readonly Repository[];
}

/** What was learned about one digest. Allow only on `verified`. */
export type Verification = Verified | Rejected | Undetermined;

/** Figures of the asking, for people: how it was learned, not what. */
interface Cost {
  /** HTTP requests sent for this answer; 0 where it was remembered or shared with another's flight. */
  readonly requests: number;
  /** Whether what is known of the digest was remembered; its tag may have been asked for all the same. */
  readonly fromMemory: boolean;
}

export interface Verified extends Cost {
  readonly outcome: 'verified';
  readonly digest: Digest;
  /** The signatures that satisfy this use, bundles first; never empty. */
  readonly signatures: readonly [ValidSignature, ...ValidSignature[]];
  /** Whether the signed bytes name the component asked for. */
  readonly componentProven: boolean;
}

export interface Rejected extends Cost {
  readonly outcome: 'rejected';
  /** Undefined where the tag is not there, or, offline, in no evidence. */
  readonly digest: Digest | undefined;
  readonly reason: RejectionReason;
}

export interface Undetermined extends Cost {
  readonly outcome: 'undetermined';
  /** Undefined where the tag was not resolved. */
  readonly digest: Digest | undefined;
  readonly reason: UndeterminedReason;
  /**
   * Present only where resolving the tag itself got no answer (unavailable, rate-limited, or asked and late) and the
   * last answer it gave is a digest that is verified for this very use. Whether it counts is `decide`'s choice.
   */
  readonly lastVerified?: { readonly answeredAt: number; readonly verified: Verified };
  /** Where the tag was not resolved: the digest of its last answer, if any, for the list of revoked ones alone. */
  readonly lastDigest?: Digest;
}

/** The evidence is bad or absent; asking again will not help. */
export type RejectionReason =
  | { readonly code: 'image-not-found' }
  /** `perhaps`: why there may be none, where Istio's tables do not know what the digest is of. */
  | { readonly code: 'signature-missing'; readonly perhaps?: string }
  /** No signature, and Istio's tables know why. */
  | { readonly code: 'image-never-signed'; readonly why: string }
  /** What stands where a signature should is none. */
  | { readonly code: 'signature-invalid'; readonly detail: string }
  /** A trusted key's signature, over another digest. */
  | { readonly code: 'signature-for-other-image'; readonly signed: string }
  /** A well-formed signature that no key of the ring made, or by a key that may not sign for this place. */
  | { readonly code: 'signer-untrusted'; readonly detail: string }
  | { readonly code: 'component-mismatch'; readonly asked: string; readonly signed: string }
  /** The transparency log is required, and no log we know proves that it has the signature. */
  | { readonly code: 'transparency-log-unproven'; readonly detail: string }
  /** None valid among the first `tried` candidates, and more were left. */
  | { readonly code: 'too-many-signatures'; readonly tried: number };

/** Could not find out; asking again may help. `detail` is one line and says where and what to do. */
export type UndeterminedReason =
  | { readonly code: 'registry-unavailable'; readonly detail: string }
  | { readonly code: 'registry-refused'; readonly detail: string }
  | { readonly code: 'registry-rate-limited'; readonly detail: string }
  | { readonly code: 'registry-answer-invalid'; readonly detail: string }
  /** `asked`: whether a question had been sent to the registry when time ran out. */
  | { readonly code: 'deadline-exceeded'; readonly asked: boolean }
  /** A signature by an unknown key, while these keys of the configuration could not be loaded. */
  | { readonly code: 'key-ring-incomplete'; readonly missing: readonly string[] }
  /** Something threw; the log has the stack under this id. */
  | { readonly code: 'internal-error'; readonly incident: string };

/** Verifies images: from memory with `recall`, or else with `verify` (see `recallOrAsk`). */
export interface Verifier {
  /** Returns the verdict from memory: no source is opened, nothing is awaited. Undefined if memory does not suffice. */
  readonly recall: (request: VerificationRequest) => Verified | undefined;
  /** Verifies one image. Never rejects: an error thrown inside becomes `undetermined`, `internal-error`. */
  readonly verify: (request: VerificationRequest, signal: AbortSignal) => Promise<Verification>;
}
