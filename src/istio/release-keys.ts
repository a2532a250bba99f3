import type { KeySpec } from '../verification/index.ts';

/**
 * https://istio.io/misc/istio-key.pub; the copies of two independent pages agree with it. Made in Google KMS
 * (istio/test-infra `infra/gcp/istio-prow-build/keys.tf`). SPKI sha256: 8e0dbb28…6212.
 */
const RELEASE_KEY_1 = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEej5bv2n2vOecKineYGWwq1WaQa7C
7HTEVN+BkNI4D1+66ufzn1eGTrbaC9dceJqCAkhp37vMxhWOrGufpBUokg==
-----END PUBLIC KEY-----
`;

/**
 * Istio's release keys: the default key ring. Of the second only the URL is known, so it has no pin. Source for the
 * releases that each one signs: istio.io blog 2026, "retirement-of-gcp"; istio/istio.io pull request 17539.
 */
export const releaseKeys: readonly KeySpec[] = [
  { location: { kind: 'built-in', name: 'istio-release-1', text: RELEASE_KEY_1 }, covers: '1.12–1.31.0' },
  { location: { kind: 'url', url: 'https://istio.io/misc/istio-key-v2.pub' }, covers: '1.31.1 and later' },
];
