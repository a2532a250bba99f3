import type { Registry } from '@prometheus-io/client';
import type { SharedEvidenceState } from '../../registry/index.ts';
import {
  createCounter,
  createGauge,
  createRead,
  createSnapshot,
  define,
  secondsOf,
  single,
} from './definition.ts';

const STORES = ['cluster', 'directory'] as const;

const WRITES = define(
  'counter',
  'sailmark_evidence_writes_total',
  'Writes of evidence and tags; conflict: another replica was faster, and the write is repeated',
  { store: STORES, result: ['written', 'conflict', 'failed'] },
);
const LAST_WRITE = define(
  'gauge',
  'sailmark_evidence_last_write_timestamp_seconds',
  'Time of the last successful write by this replica',
  { store: STORES },
);
const IMAGES = define(
  'gauge',
  'sailmark_evidence_images',
  'Images with evidence in the ConfigMaps that replicas share',
  {},
);
const BYTES = define('gauge', 'sailmark_evidence_bytes', 'Size of the evidence that replicas share', {});
const LIMIT = define(
  'gauge',
  'sailmark_evidence_limit_bytes',
  'Size past which shared evidence that was not used for the longest time is removed',
  {},
);
const PENDING = define(
  'gauge',
  'sailmark_evidence_pending',
  'Images and tags whose shared evidence this replica has not written yet',
  {},
);
const OLDEST = define(
  'gauge',
  'sailmark_evidence_oldest_timestamp_seconds',
  'Time at which the oldest shared evidence was stored',
  {},
);
const NEWEST = define(
  'gauge',
  'sailmark_evidence_newest_timestamp_seconds',
  'Time at which the newest shared evidence was stored',
  {},
);
const USED = define(
  'gauge',
  'sailmark_evidence_last_use_timestamp_seconds',
  'Last use that is noted in the shared evidence: noted once a day for each image, in whole hours',
  {},
);

export const evidenceDefinitions = [
  WRITES,
  LAST_WRITE,
  IMAGES,
  BYTES,
  LIMIT,
  PENDING,
  OLDEST,
  NEWEST,
  USED,
] as const;

export interface EvidenceMetrics {
  /** Returns the function that counts the writes to a store. `now`: milliseconds since the epoch. */
  evidenceWrites(
    store: (typeof STORES)[number],
    now: () => number,
  ): (result: (typeof WRITES.labels.result)[number]) => void;
  /** Reads the state of the shared evidence whenever the metrics are rendered. */
  watchEvidence(state: () => SharedEvidenceState): void;
}

/** Creates the metrics of evidence. What is in a directory is not read for them. */
export const createEvidenceMetrics = (registry: Registry): EvidenceMetrics => {
  const writes = createCounter(WRITES, registry);
  const lastWrite = createGauge(LAST_WRITE, registry);
  return {
    evidenceWrites: (store, now) => (result) => {
      writes({ store, result });
      if (result === 'written') lastWrite({ store }, now() / 1000);
    },
    watchEvidence(read) {
      const state = createSnapshot(read);
      createRead(IMAGES, registry, () => single(state().images));
      createRead(BYTES, registry, () => single(state().bytes));
      createRead(LIMIT, registry, () => single(state().limitBytes));
      createRead(PENDING, registry, () => single(state().pending));
      createRead(OLDEST, registry, () => single(secondsOf(state().oldest)));
      createRead(NEWEST, registry, () => single(secondsOf(state().newest)));
      createRead(USED, registry, () => single(secondsOf(state().used)));
    },
  };
};
