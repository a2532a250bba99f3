export type { AdmissionResponse } from './admission-response.ts';
export { findDocumentImages } from './document-images.ts';
export type { EventSummary } from './event-summary.ts';
export { imageUses } from './image-uses.ts';
export { MalformedReview } from './malformed-review.ts';
export { chartExpression, matchConditions } from './match-conditions.ts';
export type { PinRecord } from './pin-result.ts';
export { createPinner, type Pinner, type PinnerContext } from './pinner.ts';
export { findPlaceholders } from './placeholders.ts';
export type { ReviewRecord } from './record.ts';
export type { Regarding } from './regarding.ts';
export {
  createReviewer,
  type Responder,
  type ResponderOutput,
  type Reviewer,
  type ReviewerDependencies,
  type ReviewOutput,
} from './review.ts';
export { type ObjectResponse, type ObjectResult, reviewObject, toObjectResponse } from './review-object.ts';
export { holdsOf, type ReviewContext } from './review-result.ts';
export { findWholeSubject, type SkipReason } from './subject.ts';
export { workloads } from './workloads.ts';
