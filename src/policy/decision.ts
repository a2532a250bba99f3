import type { Digest, ImageReference } from '../image/index.ts';
import type { ImageClass } from '../istio/index.ts';
import type { Verification } from '../verification/index.ts';
import type { Reason, RefusalReason } from './reason.ts';

/** An image reference and its position in an object. */
export interface ImageUse {
  /** The reference as written. */
  readonly image: string;
  /** JSON path in the object: `spec.initContainers[0].image`. */
  readonly path: string;
  /** The container's name, or the volume's. */
  readonly name: string;
  readonly kind: 'container' | 'init-container' | 'ephemeral-container' | 'image-volume';
  /** True if the container has a generic name of Istio's (`discovery`) in a pod that claims to be istiod's. */
  readonly inIstiod?: true;
}

/** The classification of one distinct image and, if it is Istio's, its verification; the same for every use. */
export interface Judgement {
  readonly image: string;
  /** Undefined if the text is not a valid reference. */
  readonly reference: ImageReference | undefined;
  /** Undefined if the text is not a valid reference. */
  readonly class: ImageClass | undefined;
  /** True if the text is not a valid reference, but may be meant as an Istio image. */
  readonly couldBeIstio: boolean;
  /** The reason to refuse the image whatever its signatures; undefined if there is none. */
  readonly refused:
    | Extract<RefusalReason, { code: 'image-reference-invalid' | 'image-revoked' | 'too-many-images' }>
    | undefined;
  /** Present for every image of a hub or mirror, unless it was refused before it was verified. */
  readonly verification: Verification | undefined;
  /**
   * The digest that the tag resolves to, of an image that has a digest too. Present only if an exemption is for the tag
   * and the image is not verified: then the exemption covers this digest.
   */
  readonly tagDigest?: Digest;
}

/** The effect of a finding in the mode of its review; `exempt` if an exemption lifts it. */
export type Effect = 'deny' | 'warn' | 'audit' | 'exempt';

/** An image use and the reason why it is denied, or would be but for its mode, an outage rule or an exemption. */
export interface Finding {
  readonly use: ImageUse;
  readonly reason: Reason;
  readonly effect: Effect;
  /** One sentence on the outage rule or exemption that allows the image; absent if none does. */
  readonly allowedBecause?: string;
  /** Present if the Pods of a template would be denied for it, and the review is to say so. */
  readonly refusesPods?: true;
}

/** The strongest effect of any finding; `allow` if there is none. */
export type Verdict = 'allow' | 'deny' | 'warn' | 'audit';

/** The decision on one review, before it becomes an AdmissionResponse. */
export interface Decision {
  readonly verdict: Verdict;
  /** At most one for each image use, in the order of the images in the object. */
  readonly findings: readonly Finding[];
}
