import type { Digest } from '../image/index.ts';
import type { Obstacle, Rejection } from '../verification/index.ts';

/** Refused without looking at a signature. */
export type Refusal =
  | { readonly code: 'image-reference-invalid'; readonly problem: string }
  | { readonly code: 'image-look-alike'; readonly component: string; readonly vendor: string | undefined }
  /** A container named as Istio's with an image that is on no hub or mirror; `auto` left in a Pod. */
  | { readonly code: 'image-unrecognised'; readonly container: string }
  | { readonly code: 'image-not-pinned' }
  | { readonly code: 'image-revoked'; readonly digest: Digest; readonly why: string }
  | { readonly code: 'too-many-images'; readonly limit: number };

/**
 * Why an image is not let through. The codes are public API: metric label, audit annotation, JSON, README anchor.
 * Adding one: a member here, a sentence in `explain`, a row in the README's table.
 */
export type Reason = Refusal | Rejection | Obstacle;

export type ReasonCode = Reason['code'];
