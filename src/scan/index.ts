export { type PublishOptions, publishScan } from './publish/index.ts';
export { runScan } from './scan.ts';
export type { ScanOptions, ScanProgress } from './scan-options.ts';
export {
  type ConfiguredImage,
  type Coverage,
  type Drift,
  type Notice,
  type Remedy,
  type RemedyKind,
  SCAN_SCHEMA,
  type ScannedImage,
  type ScannedKey,
  type ScannedOwner,
  type ScannedPolicy,
  type ScannedUse,
  type ScanResult,
  type ScanStatus,
  type ScanSummary,
  type VersionUse,
} from './scan-result.ts';
