import type { Registry } from '@prometheus-io/client';
import { createCounter, createRead, define, single } from './definition.ts';

const CODES = ['400', '404', '405', '413', '415', '503', 'other'] as const;
const USES = ['received', 'ordinary', 'large'] as const;

const READY = define(
  'gauge',
  'sailmark_ready',
  'If this replica is ready for reviews, as its readiness probe says',
  {},
);
const ERRORS = define(
  'counter',
  'sailmark_http_errors_total',
  'Requests to the webhook that got no AdmissionReview in response, by HTTP status',
  { code: CODES },
);
const BYTES = define(
  'gauge',
  'sailmark_review_memory_bytes',
  'Memory that reviews take now: bodies that are received, and ordinary or large reviews that wait for a registry',
  { use: USES },
);
const LIMIT = define(
  'gauge',
  'sailmark_review_memory_limit_bytes',
  'Memory that reviews may take, past which requests get HTTP 503 and are repeated by the API server',
  { use: USES },
);

export const serverDefinitions = [READY, ERRORS, BYTES, LIMIT] as const;

/** Bytes that reviews take now, and may take, by their use. */
export type ReviewMemoryState = Readonly<
  Record<(typeof USES)[number], { readonly bytes: number; readonly limitBytes: number }>
>;

export interface ServerMetrics {
  /** Reads if this replica is ready whenever the metrics are rendered. */
  watchReadiness(isReady: () => boolean): void;
  /** Counts a response with an HTTP error. */
  countHttpError(status: number): void;
  /** Reads the memory of reviews whenever the metrics are rendered. */
  watchReviewMemory(state: () => ReviewMemoryState): void;
}

/** Creates the metrics of the server for reviews. */
export const createServerMetrics = (registry: Registry): ServerMetrics => {
  const errors = createCounter(ERRORS, registry);
  return {
    watchReadiness: (isReady) => createRead(READY, registry, () => single(isReady() ? 1 : 0)),
    countHttpError(status) {
      errors({ code: CODES.find((code) => code === String(status)) ?? 'other' });
    },
    watchReviewMemory(state) {
      createRead(BYTES, registry, () => USES.map((use) => [{ use }, state()[use].bytes] as const));
      createRead(LIMIT, registry, () => USES.map((use) => [{ use }, state()[use].limitBytes] as const));
    },
  };
};
