import { digestOf } from '../../image/index.ts';
import type { Reason, ReasonCode } from '../../policy/index.ts';

/** A reason of each code, for an example of what a refusal says. */
export const exampleReasons: { readonly [Code in ReasonCode]: Extract<Reason, { readonly code: Code }> } = {
  'image-revoked': {
    code: 'image-revoked',
    digest: digestOf('revoked'),
    why: 'built on a compromised machine',
  },
  'image-reference-invalid': { code: 'image-reference-invalid', problem: 'the tag is empty' },
  'too-many-images': { code: 'too-many-images', limit: 100 },
  'image-look-alike': { code: 'image-look-alike', component: 'proxyv2', vendor: undefined },
  'image-unrecognised': { code: 'image-unrecognised', container: 'istio-proxy', placeholder: false },
  'component-mismatch': { code: 'component-mismatch', asked: 'proxyv2', signed: 'ztunnel' },
  'signature-for-other-image': { code: 'signature-for-other-image', signed: digestOf('another image') },
  'signature-invalid': { code: 'signature-invalid', detail: 'the payload is no JSON' },
  'signer-untrusted': { code: 'signer-untrusted', detail: '1 signature by no key of the key ring' },
  'transparency-log-unproven': { code: 'transparency-log-unproven', detail: 'no log entry is attached' },
  'too-many-signatures': { code: 'too-many-signatures', tried: 100 },
  'signature-missing': { code: 'signature-missing' },
  'image-never-signed': { code: 'image-never-signed', why: 'Istio signs its images since 1.12' },
  'image-not-found': { code: 'image-not-found' },
  'image-not-pinned': { code: 'image-not-pinned' },
  'internal-error': { code: 'internal-error', incident: '7f3a' },
  'registry-answer-invalid': { code: 'registry-answer-invalid', detail: 'the manifest is no JSON' },
  'registry-refused': { code: 'registry-refused', detail: 'registry.corp.example responded 403' },
  'key-ring-incomplete': {
    code: 'key-ring-incomplete',
    missing: ['https://istio.io/misc/istio-key-v2.pub'],
  },
  'request-budget-exceeded': { code: 'request-budget-exceeded', namespace: 'shop' },
  'deadline-exceeded': { code: 'deadline-exceeded', asked: true },
  'registry-backend-unavailable': {
    code: 'registry-backend-unavailable',
    detail: 'auth.corp.example responded 503',
  },
  'registry-rate-limited': { code: 'registry-rate-limited', detail: 'registry.corp.example responded 429' },
  'registry-unavailable': { code: 'registry-unavailable', detail: 'registry.corp.example: no connection' },
};
