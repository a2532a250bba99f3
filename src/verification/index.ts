export { parseBase64 } from './base64.ts';
export { runCanary } from './canary.ts';
export type { KeyEvent } from './key-event.ts';
export type { KeyRing, MissingKey, TrustedKey } from './key-ring.ts';
export {
  createKeyRing,
  type KeySource,
  type KeySourceOptions,
  KeysInvalid,
} from './key-source.ts';
export type { KeyPlace, KeySpec } from './key-spec.ts';
export { loadProveLogged } from './log/load-prove-logged.ts';
export type { ProveLogged } from './log/log-proof.ts';
export type { TrustedLogs } from './log/trusted-log.ts';
export { parseTrustedRoot } from './log/trusted-root.ts';
export { type ParsedKey, type ParsedKeys, parseKeys } from './parse-keys.ts';
export type { Proof } from './proof.ts';
export type {
  Logged,
  Obstacle,
  Question,
  Rejected,
  Rejection,
  Undetermined,
  ValidSignature,
  Verification,
  Verified,
  VerifyImage,
} from './verification.ts';
export { createVerifier } from './verifier.ts';
export type { VerifierOptions } from './verifier-options.ts';
export { type BlobVerdict, verifyBlob } from './verify-blob.ts';
export { within } from './within.ts';
