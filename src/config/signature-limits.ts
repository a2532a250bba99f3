import { KIB, type Limit, MIB } from './limit.ts';

/** The limits on what is read of signatures. */
export const signatureLimits = [
  {
    name: 'signatureCandidates',
    default: 100,
    unit: 'count',
    min: 1,
    max: 1000,
    effect:
      'if none of that many signatures under the tag, or of that many referrers, is valid and more exist: `too-many-signatures`',
  },
  {
    name: 'signatureBytes',
    default: 8 * MIB,
    unit: 'bytes',
    min: MIB,
    max: 256 * MIB,
    effect:
      'of the list of referrers, and of the signatures in each format, no more is read for a digest; if none before was valid, `too-many-signatures`',
  },
  {
    name: 'signatureManifestBytes',
    default: MIB,
    unit: 'bytes',
    min: 64 * KIB,
    max: 4 * MIB,
    effect:
      'a longer manifest under the signature tag, or page of a list of referrers, is not read: `too-many-signatures`, unless another signature is valid',
  },
  {
    name: 'referrerBytes',
    default: 64 * KIB,
    unit: 'bytes',
    min: 4 * KIB,
    max: 4 * MIB,
    effect: 'a referrer with a longer manifest is not the bundle of a signature',
  },
  {
    name: 'signaturesPerDigest',
    default: 8,
    unit: 'count',
    min: 1,
    max: 64,
    effect:
      'further valid signatures of a digest are not remembered, and read again for an image that the others do not satisfy',
  },
  {
    name: 'payloadBytes',
    default: 64 * KIB,
    unit: 'bytes',
    min: 4 * KIB,
    max: MIB,
    effect: 'a longer signed payload is not a signature: `signature-invalid`',
  },
] as const satisfies readonly Limit[];
