export { type CollectOptions, collect } from './collect.ts';
export type { CollectedObject, CollectProgress, ObjectOwner } from './collected.ts';
export { type CoverageRecorder, createCoverage } from './coverage.ts';
export { createReadList, type ReadList } from './read-list.ts';
export { readServed } from './served.ts';
