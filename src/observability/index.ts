export type { ClusterEvent } from './cluster-event.ts';
export { createEventLog, type EventLog } from './events.ts';
export { createLog, type Log } from './log.ts';
export { measureOpen, measureVerifier } from './measure.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export { createRecordBatch, type RecordBatch } from './record-batch.ts';
export { createRecordReview, type RecordReview } from './record-review.ts';
export { createReportError } from './report.ts';
