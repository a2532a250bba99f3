import type { SignatureFormat } from '../signature-format.ts';
import { bundleFormat } from './bundle-format.ts';
import type { Format } from './candidate.ts';
import { simpleSigningFormat } from './simple-signing-format.ts';

/** Every signature format. In this order valid signatures are reported and failures are explained: bundles first. */
export const FORMATS: Readonly<Record<SignatureFormat, Format>> = {
  'sigstore-bundle': bundleFormat,
  'simple-signing': simpleSigningFormat,
};
