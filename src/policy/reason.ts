import type { Digest } from '../image/index.ts';
import type { RejectionReason, UndeterminedReason } from '../verification/index.ts';

/** Refused without looking at a signature. */
export type RefusalReason =
  | { readonly code: 'image-reference-invalid'; readonly problem: string }
  | { readonly code: 'image-look-alike'; readonly component: string; readonly vendor: string | undefined }
  /** A container named as Istio's with an image that is on no hub or mirror; `placeholder`: `auto` left in a Pod. */
  | { readonly code: 'image-unrecognised'; readonly container: string; readonly placeholder: boolean }
  | { readonly code: 'image-not-pinned' }
  | { readonly code: 'image-revoked'; readonly digest: Digest; readonly why: string }
  | { readonly code: 'too-many-images'; readonly limit: number };

/**
 * Why an image is not let through. The codes are public API: metric label, audit annotation, JSON, README anchor.
 * Adding one: a member here, its group below, a sentence in `explain`, a row in the README's table.
 */
export type Reason = RefusalReason | RejectionReason | UndeterminedReason;

export type ReasonCode = Reason['code'];

/** How sure a reason is: refused whatever its signatures, rejected for its evidence, or not found out. */
export type ReasonGroup = 'refused' | 'rejected' | 'undetermined';

/** The most serious first. A code that is missing or unknown here does not compile. */
const GROUPS = {
  'image-revoked': 'refused',
  'image-reference-invalid': 'refused',
  'too-many-images': 'refused',
  'image-look-alike': 'refused',
  'image-unrecognised': 'refused',
  'component-mismatch': 'rejected',
  'signature-for-other-image': 'rejected',
  'signature-invalid': 'rejected',
  'signer-untrusted': 'rejected',
  'transparency-log-unproven': 'rejected',
  'too-many-signatures': 'rejected',
  'signature-missing': 'rejected',
  'image-never-signed': 'rejected',
  'image-not-found': 'rejected',
  'image-not-pinned': 'refused',
  'internal-error': 'undetermined',
  'registry-answer-invalid': 'undetermined',
  'registry-refused': 'undetermined',
  'key-ring-incomplete': 'undetermined',
  'deadline-exceeded': 'undetermined',
  'registry-rate-limited': 'undetermined',
  'registry-unavailable': 'undetermined',
} as const satisfies Record<ReasonCode, ReasonGroup>;

/** Every reason code, the most serious first. */
export const reasonCodes: readonly ReasonCode[] = Object.keys(GROUPS) as ReasonCode[];

const RANKS: ReadonlyMap<ReasonCode, number> = new Map(reasonCodes.map((code, rank) => [code, rank]));

/** The group of a code: `refused`, `rejected` or `undetermined` (which holds `internal-error`). */
export const groupOf = (code: ReasonCode): ReasonGroup => GROUPS[code];

/** The place of a code in `reasonCodes`: 0 is the most serious. */
export const rankOf = (code: ReasonCode): number => RANKS.get(code) ?? reasonCodes.length;
