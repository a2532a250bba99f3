import type { ImageReference } from '../image/index.ts';
import type { ImageClass } from '../istio/index.ts';
import type { Verification } from '../verification/index.ts';
import type { Reason, RefusalReason } from './reason.ts';

/** An image reference and where it stands. */
export interface ImageUse {
  /** The reference as written. */
  readonly image: string;
  /** JSON path in the object: `spec.initContainers[0].image`. */
  readonly path: string;
  /** The container's name, or the volume's. */
  readonly name: string;
  readonly kind: 'container' | 'init-container' | 'ephemeral-container' | 'image-volume';
}

/** What is known of one distinct image, whoever uses it: classified and, if it is Istio's, verified. */
export interface Judgement {
  readonly image: string;
  /** Undefined where the text is no reference. */
  readonly reference: ImageReference | undefined;
  /** Undefined where the text is no reference. */
  readonly class: ImageClass | undefined;
  /** Where the text is no reference: whether it could mean an image of Istio's. */
  readonly couldBeIstio: boolean;
  /** Refused whatever its signatures: an invalid reference, a revoked digest, one image too many in its review. */
  readonly refused:
    | Extract<RefusalReason, { code: 'image-reference-invalid' | 'image-revoked' | 'too-many-images' }>
    | undefined;
  /** Present for every image of a hub or mirror that was not refused before it was asked for. */
  readonly verification: Verification | undefined;
}

/** What a finding does: `exempt` where an exemption lifts it. */
export type Effect = 'deny' | 'warn' | 'audit' | 'exempt';

/** An image use and why it is not let through, or was in spite of something. */
export interface Finding {
  readonly use: ImageUse;
  readonly reason: Reason;
  /** What this finding does in this mode. */
  readonly effect: Effect;
  /** Present where an outage rule or an exemption let it through: one sentence that says which. */
  readonly letThrough?: string;
}

/** `deny`, `warn` and `audit`: the most that a finding does; `allow`: none does anything. */
export type Verdict = 'allow' | 'deny' | 'warn' | 'audit';

/** The answer to one review, before it is put in Kubernetes' words. */
export interface Decision {
  readonly verdict: Verdict;
  /** At most one an image use, in the order of the images in the object. */
  readonly findings: readonly Finding[];
}
