export { type BlobBundle, isBundle, parseBlobBundle } from './blob-bundle.ts';
export { type CanaryProblems, canaryProblems, runCanary } from './canary.ts';
export { type ImageManifest, parseImageManifest } from './configuration/parse-image.ts';
export type { VerifierDependencies } from './dependencies.ts';
export { parseBase64 } from './encoding/base64.ts';
export {
  createDiskStore,
  createSharedStore,
  type EvidenceStore,
  storeEverywhere,
} from './evidence-stores.ts';
export type { KeyEvent } from './keys/key-event.ts';
export { findKeyReferenceProblem, findPastedKeyProblem } from './keys/key-reference.ts';
export type { KeyRing, MissingKey, TrustedKey } from './keys/key-ring.ts';
export type { KeyRingHealth } from './keys/key-ring-health.ts';
export {
  createKeyRing,
  InvalidKeysError,
  type KeyRingLoader,
  type KeyRingOptions,
} from './keys/key-ring-loader.ts';
export type { KeyLocation, KeySpec } from './keys/key-spec.ts';
export { type ParsedKey, type ParsedKeys, parseKeys } from './keys/parse-keys.ts';
export { loadProveLogged } from './log/load-prove-logged.ts';
export type { LogResult, ProveLogged } from './log/log-proof.ts';
export type { TrustedLogs } from './log/trusted-log.ts';
export { parseTrustedRoot } from './log/trusted-root.ts';
export type { MemoryState } from './memory/memory-state.ts';
export type {
  Rejected,
  RejectionReason,
  Undetermined,
  UndeterminedReason,
  UnreadForm,
  ValidSignature,
  Verification,
  VerificationRequest,
  Verified,
  Verifier,
} from './verification.ts';
export { createVerifier, type ObservedVerifier } from './verifier.ts';
export { type BlobResult, verifyBlob } from './verify-blob.ts';
