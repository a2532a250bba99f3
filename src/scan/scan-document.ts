import type { KeyRing } from '../verification/index.ts';
import type { FoundDrift } from './drift/find-drift.ts';
import type {
  Coverage,
  ScannedImage,
  ScannedKey,
  ScannedOwner,
  ScanResult,
  ScanSummary,
} from './scan-result.ts';
import { countListed, type PodSummary } from './tally/tally.ts';

/** Returns the keys of the ring, then those that could not be loaded. */
export const scannedKeysOf = ({ keys, missing }: KeyRing): readonly ScannedKey[] => [
  ...[...keys.values()].map(({ keyId, source, covers }) => ({
    keyId,
    source,
    covers: covers ?? null,
    problem: null,
  })),
  ...missing.map(({ source, problem }) => ({ keyId: '', source, covers: null, problem })),
];

const statusCount = (list: ScanResult['preflight'], wanted: ScannedImage['status']): number =>
  list.filter(({ status }) => status === wanted).length;

/** Counts what the parts of a result list. */
export const summaryOf = (
  pods: PodSummary,
  images: readonly ScannedImage[],
  owners: readonly ScannedOwner[],
  drift: FoundDrift,
  preflight: ScanResult['preflight'],
): ScanSummary => ({
  ...pods,
  ...countListed(images, owners),
  drifted: drift.drifted,
  driftUnknown: drift.unknown,
  preflightRefused: statusCount(preflight, 'refused'),
  preflightUnknown: statusCount(preflight, 'unknown'),
});

/** Adds sentences on what the limits cut. */
export const withCut = (coverage: Coverage, ...sentences: readonly string[]): Coverage => ({
  ...coverage,
  cut: [...coverage.cut, ...sentences],
});
