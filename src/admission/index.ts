export type { AdmissionAnswer } from './answer.ts';
export { imageUses } from './image-uses.ts';
export { type BadPath, MalformedReview, type Note } from './malformed-review.ts';
export type { ReviewContext } from './outcome.ts';
export type { ReviewRecord } from './record.ts';
export { createReview, type Review, type ReviewParts } from './review.ts';
export type { Skipped } from './subject.ts';
export { findWorkload, type Workload, workloads } from './workloads.ts';
