export type { KeyRing, MissingKey, TrustedKey } from './key-ring.ts';
export type { KeyPlace, KeySpec } from './key-spec.ts';
export type {
  Cost,
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
