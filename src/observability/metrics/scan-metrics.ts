import type { Registry } from '@prometheus-io/client';
import { SCAN_STATUSES, type ScanCounts } from '../scan-counts.ts';
import { createRead, define, type Samples, single } from './definition.ts';

const BY_STATUS = { status: SCAN_STATUSES } as const;

const IMAGES = define(
  'gauge',
  'sailmark_scan_images',
  'Distinct Istio images of the last scan, by what admission would do',
  BY_STATUS,
);
const PODS = define(
  'gauge',
  'sailmark_scan_pods',
  'Pods with an Istio image of the last scan, by what admission would do',
  BY_STATUS,
);
const PREFLIGHT = define(
  'gauge',
  'sailmark_scan_preflight_images',
  'Images that Istio is configured to inject or install, by what admission would do with them',
  BY_STATUS,
);
const OWNERS = define(
  'gauge',
  'sailmark_scan_owners_refused',
  'Workloads, and pods without one, that admission would refuse as they are now',
  {},
);
const DRIFT = define(
  'gauge',
  'sailmark_scan_drifted_containers',
  'Containers that run another digest than the one their image stands for and that is verified now; unknown: it cannot be told',
  { state: ['drifted', 'unknown'] },
);
const UNSEEN = define(
  'gauge',
  'sailmark_scan_unseen_resources',
  'Kinds of objects that the last scan could not read',
  {},
);
const COMPLETE = define('gauge', 'sailmark_scan_complete', 'If the last scan ran to its end', {});
const SUCCESS = define(
  'gauge',
  'sailmark_scan_last_success_timestamp_seconds',
  'Time at which the last scan that ran to its end had ended',
  {},
);
const DURATION = define('gauge', 'sailmark_scan_duration_seconds', 'Duration of the last scan', {});

export const scanDefinitions = [
  IMAGES,
  PODS,
  PREFLIGHT,
  OWNERS,
  DRIFT,
  UNSEEN,
  COMPLETE,
  SUCCESS,
  DURATION,
] as const;

export interface ScanMetrics {
  /** Exposes the counts that the function returns whenever the metrics are rendered; undefined: there are none. */
  watchScan(read: () => ScanCounts | undefined): void;
}

/** Creates the metrics of the last scan, which ran in another pod. */
export const createScanMetrics = (registry: Registry): ScanMetrics => {
  let read: () => ScanCounts | undefined = () => undefined;
  const byStatus = (pick: (counts: ScanCounts) => ScanCounts['images']): Samples<typeof BY_STATUS> => {
    const counts = read();
    return counts === undefined
      ? []
      : SCAN_STATUSES.map((status) => [{ status }, pick(counts)[status]] as const);
  };
  const one = (pick: (counts: ScanCounts) => number | null): ReturnType<typeof single> => {
    const counts = read();
    return single(counts === undefined ? undefined : (pick(counts) ?? undefined));
  };
  createRead(IMAGES, registry, () => byStatus(({ images }) => images));
  createRead(PODS, registry, () => byStatus(({ pods }) => pods));
  createRead(PREFLIGHT, registry, () => byStatus(({ preflight }) => preflight));
  createRead(OWNERS, registry, () => one(({ ownersRefused }) => ownersRefused));
  createRead(DRIFT, registry, () => {
    const counts = read();
    return [
      [{ state: 'drifted' }, counts?.driftedContainers],
      [{ state: 'unknown' }, counts?.driftUnknownContainers],
    ] as const;
  });
  createRead(UNSEEN, registry, () => one(({ notSeen }) => notSeen));
  createRead(COMPLETE, registry, () => one(({ complete }) => Number(complete)));
  createRead(SUCCESS, registry, () =>
    one(({ lastCompleteAt }) => (lastCompleteAt === null ? null : Date.parse(lastCompleteAt) / 1000)),
  );
  createRead(DURATION, registry, () => one(({ durationSeconds }) => durationSeconds));
  return {
    watchScan: (reader) => {
      read = reader;
    },
  };
};
