import type { Digest } from '../image/index.ts';
import type { VendorSigning } from '../istio/index.ts';
import type { RejectionReason, UndeterminedReason } from '../verification/index.ts';

/** Reasons that refuse an image whatever its signatures. */
export type RefusalReason =
  | { readonly code: 'image-reference-invalid'; readonly problem: string }
  | {
      readonly code: 'image-look-alike';
      readonly component: string;
      readonly vendor: string | undefined;
      readonly signing?: VendorSigning;
    }
  /** A container with a name of Istio's and an image on no hub or mirror; `placeholder`: `auto` left in a Pod. */
  | { readonly code: 'image-unrecognised'; readonly container: string; readonly placeholder: boolean }
  /** `pin`: the mutating webhook did not pin it. `undetermined`: an outage rule would allow it if it had. */
  | { readonly code: 'image-not-pinned'; readonly pin?: { readonly undetermined?: UndeterminedReason } }
  | { readonly code: 'image-revoked'; readonly digest: Digest; readonly why: string }
  /** `limitName`: the review as a whole is too large, and was not parsed. */
  | {
      readonly code: 'too-many-images';
      readonly limit: number;
      readonly limitName?: 'imageUsesPerReview' | 'valuesPerReview';
    };

/**
 * The reason why an image is not allowed. The codes are public API: metric label, audit annotation, JSON, anchor in
 * docs/reasons.md. To add one: add a member here (or in `RejectionReason` or `UndeterminedReason`), its group in `GROUPS`
 * at the place of its seriousness, a sentence in sentences.ts, and a row in docs/reasons.md. Its exit code is
 * its group's, unless src/cli/shared/exit-codes.ts says otherwise. A code that is missing somewhere does not compile or fails test/docs.test.ts.
 */
export type Reason = RefusalReason | RejectionReason | UndeterminedReason;

export type ReasonCode = Reason['code'];

/** Refused whatever its signatures, rejected because of its evidence, or not determined. */
export type ReasonGroup = 'refused' | 'rejected' | 'undetermined';

/** The group of each code, the most serious code first. A missing or unknown code does not compile. */
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
  'request-budget-exceeded': 'undetermined',
  'deadline-exceeded': 'undetermined',
  'registry-backend-unavailable': 'undetermined',
  'registry-rate-limited': 'undetermined',
  'registry-unavailable': 'undetermined',
} as const satisfies Record<ReasonCode, ReasonGroup>;

/** Every reason code, the most serious first. */
export const reasonCodes: readonly ReasonCode[] = Object.keys(GROUPS) as ReasonCode[];

const RANKS: ReadonlyMap<ReasonCode, number> = new Map(reasonCodes.map((code, rank) => [code, rank]));

/** Returns the group of a code. `internal-error` is `undetermined`. */
export const groupOf = (code: ReasonCode): ReasonGroup => GROUPS[code];

/** Returns the index of a code in `reasonCodes`: 0 is the most serious. */
export const rankOf = (code: ReasonCode): number => RANKS.get(code) ?? reasonCodes.length;
