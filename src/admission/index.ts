export type { AdmissionAnswer } from './answer.ts';
export { imageUses } from './image-uses.ts';
export { MalformedReview } from './malformed-review.ts';
export type { ReviewContext } from './outcome.ts';
export type { ReviewRecord } from './record.ts';
export type { Regarding } from './regarding.ts';
export { createReview, type Review, type Reviewed } from './review.ts';
export type { Skipped } from './subject.ts';
export { workloads } from './workloads.ts';
