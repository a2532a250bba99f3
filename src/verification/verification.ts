import type { Digest, ImageReference, Repository } from '../image/index.ts';
import type { FaultRemedy } from '../registry/index.ts';
import type { LogResult } from './log/log-proof.ts';
import type { SignatureFormat } from './signature-format.ts';

/** A signature of this digest that a key of the key ring made. Whether it counts is decided at each use. */
export interface ValidSignature {
  /** RFC 7638 thumbprint of the key that made it. */
  readonly keyId: string;
  readonly format: SignatureFormat;
  /** The `docker-reference` in the signed bytes; undefined if the format carries none. */
  readonly signedReference: string | undefined;
  /** The payload, as text: the signed bytes, or the content of a signed envelope. */
  readonly payload: string;
  /** The unverified `dev.sigstore.cosign/bundle` annotation, stored only because cosign prints it. */
  readonly logBundle: string | undefined;
  /** The result of proving it with the transparency log; undefined if the log is ignored. */
  readonly logged: LogResult | undefined;
}

/** The image to verify, and what its signatures must satisfy in this use. Compared at every use, cached or not. */
export interface VerificationRequest {
  readonly reference: ImageReference;
  /**
   * Names of the hub or mirror of this use, with the aliases of a hub, that a key's `for` is compared with.
   * Empty: not an image of a hub or mirror, so a key that is limited to some of them does not count.
   */
  readonly places: readonly string[];
  /** The requested component; undefined: none, so none is compared. */
  readonly component: string | undefined;
  /** Returns the known component that a signed `docker-reference` names, or undefined if it names none. */
  readonly componentOf: (signedReference: string) => string | undefined;
  /** Returns the known component whose image starts with this word, or undefined if none does. */
  readonly componentOfStart: (word: string) => string | undefined;
  /** True if the image is likely signed by a bundle: its configuration is then read at once. Decides nothing else. */
  readonly isLikelyBundled: boolean;
  /** Repositories to look for signatures in, in order. */
  readonly signaturesAt: readonly Repository[];
  /** The namespace whose budget is charged; undefined: sailmark itself asks, on the command line or to warm up. */
  readonly requester?: string | undefined;
}

/** The outcome for one image. Allow only on `verified`. */
export type Verification = Verified | Rejected | Undetermined;

/** Informational only: never used in a decision. */
interface Cost {
  /**
   * HTTP requests sent for this verification; 0 if it came from memory or from a request that another verification started.
   */
  readonly requests: number;
  /** True if the signatures or the rejection came from memory. The tag may have been resolved all the same. */
  readonly fromMemory: boolean;
}

export interface Verified extends Cost {
  readonly outcome: 'verified';
  readonly digest: Digest;
  /** The signatures that satisfy this use, bundles first; never empty. */
  readonly signatures: readonly [ValidSignature, ...ValidSignature[]];
  /** True if the signed bytes name the requested component, or the configuration of the image starts it. */
  readonly componentProven: boolean;
  /** Set if the configuration proves the component, because no signature names one. */
  readonly componentProvenBy?: 'configuration';
}

export interface Rejected extends Cost {
  readonly outcome: 'rejected';
  /** Undefined if the tag was not found: in its repository or, offline, in any evidence. */
  readonly digest: Digest | undefined;
  readonly reason: RejectionReason;
}

export interface Undetermined extends Cost {
  readonly outcome: 'undetermined';
  /** Undefined if the tag was not resolved. */
  readonly digest: Digest | undefined;
  readonly reason: UndeterminedReason;
  /**
   * The verification of the digest the tag last resolved to. Present only if the registry did not respond when the tag was
   * resolved (unavailable or rate-limited) and that digest is verified for this use. `decide` chooses whether it counts.
   */
  readonly lastVerified?: { readonly resolvedAt: number; readonly verified: Verified };
  /** If the tag was not resolved: the digest it last resolved to, if any. Only the list of revoked digests uses it. */
  readonly lastDigest?: Digest;
}

/** Signatures of an image in forms that are recognised and never verified. */
export type UnreadForm =
  /** cosign's `--registry-referrers-mode=oci-1-1`: the layers of a `.sig` tag in a manifest that refers to the image. */
  | 'oci-1-1'
  /** A Sigstore bundle of version 0.1 or 0.2. */
  | 'old-bundle'
  /** A Sigstore bundle that was signed with a certificate. */
  | 'keyless';

/** The signatures are bad or absent; trying again does not help. */
export type RejectionReason =
  | { readonly code: 'image-not-found' }
  /** `perhaps`: a likely cause, if Istio's tables do not know the digest. `unread`: what is there in its place. */
  | { readonly code: 'signature-missing'; readonly perhaps?: string; readonly unread?: UnreadForm }
  /** No signature, for a reason that Istio's tables know. */
  | { readonly code: 'image-never-signed'; readonly why: string }
  /** The signature is malformed. */
  | { readonly code: 'signature-invalid'; readonly detail: string }
  /** A trusted key signed another digest. */
  | { readonly code: 'signature-for-other-image'; readonly signed: string }
  /** A well-formed signature that no key of the key ring made, or by a key that may not sign for this place. */
  | { readonly code: 'signer-untrusted'; readonly detail: string }
  /** `signed`: the component that the image is. `starts`: the program by which its configuration shows that. */
  | {
      readonly code: 'component-mismatch';
      readonly asked: string;
      readonly signed: string;
      readonly starts?: string;
    }
  /** The transparency log is required, and no trusted log proves that it contains the signature. */
  | { readonly code: 'transparency-log-unproven'; readonly detail: string }
  /** None of the first `tried` candidates is valid, and more are left. */
  | { readonly code: 'too-many-signatures'; readonly tried: number };

/** The fault of a source: one line that says where, and what helps if it is not what the code suggests. */
interface FaultDetail {
  readonly detail: string;
  readonly remedy?: FaultRemedy;
}

/** The image could not be verified; trying again may help. */
export type UndeterminedReason =
  | ({ readonly code: 'registry-unavailable' } & FaultDetail)
  /** Another host that the registry refers to did not respond. Never an outage: its name may be a stranger's choice. */
  | ({ readonly code: 'registry-backend-unavailable' } & FaultDetail)
  | ({ readonly code: 'registry-refused' } & FaultDetail)
  | ({ readonly code: 'registry-rate-limited' } & FaultDetail)
  | ({ readonly code: 'registry-answer-invalid' } & FaultDetail)
  /** `asked`: true if a request had been sent to the registry by then. Never an outage: a caller chooses its time. */
  | { readonly code: 'deadline-exceeded'; readonly asked: boolean }
  /** The namespace asked too many questions about images that did not verify. Never an outage. */
  | { readonly code: 'request-budget-exceeded'; readonly namespace: string }
  /** An unknown key made a signature, and these keys of the configuration could not be loaded. */
  | { readonly code: 'key-ring-incomplete'; readonly missing: readonly string[] }
  /** An unexpected error; the log has the stack under this id. */
  | { readonly code: 'internal-error'; readonly incident: string };

/** Verifies images: from memory with `recall`, or else with `verify` (see `recallOrElse`). */
export interface Verifier {
  /** Returns the verification from memory: no source is opened, nothing is awaited. Undefined if memory does not suffice. */
  readonly recall: (request: VerificationRequest) => Verified | undefined;
  /** Verifies one image. Never rejects: an error thrown inside becomes `undetermined`, `internal-error`. */
  readonly verify: (request: VerificationRequest, signal: AbortSignal) => Promise<Verification>;
}
