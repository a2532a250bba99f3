import { messageOf } from '../base/index.ts';
import { createRepository, type Digest, digestOf, type ImageReference } from '../image/index.ts';
import type { Source } from '../registry/index.ts';
import { parseKeys } from './keys/parse-keys.ts';
import type { Verification, VerificationRequest } from './verification.ts';
import { createVerifier } from './verifier.ts';

/*
 * A signature that must verify and two that must not, made once with a private key that was thrown away. The public key
 * is in no key ring but the canary's own.
 */

const KEY = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEJbv0R0hAK5Tc50lP0MLQVUrCaWtt
XcdGiaiolJHEoKG666aJW6K/+d1x+RnYuaPRbwUxaA/2nDbq5MST39FrGg==
-----END PUBLIC KEY-----`;
const SIGNED = `sha256:${'5a11'.repeat(16)}` as Digest;
const OTHER = `sha256:${'0bad'.repeat(16)}` as Digest;
const PAYLOAD =
  '{"critical":{"identity":{"docker-reference":"canary.sailmark.example/canary"},' +
  `"image":{"docker-manifest-digest":"${SIGNED}"},"type":"cosign container image signature"},"optional":null}`;
const SIGNATURE =
  'MEYCIQCBZfOH+u352tNGLQFXJnHvCisiRilghkWcihXi46y5hwIhANiJwLu2+E/P7avFeKsgbn9JUjIqVKAY7J7BtfbxvhzR';
/** Its last bit flipped. */
const FORGED = SIGNATURE.replace(/R$/, 'Q');

const REPOSITORY = createRepository('canary.sailmark.example', 'canary');
const LIMITS = {
  signatureCandidates: 1,
  signatureBytes: 65_536,
  signatureManifestBytes: 65_536,
  referrerBytes: 65_536,
  signaturesPerDigest: 1,
  payloadBytes: 1024,
  blobBytes: 1024,
  verifiedBytes: 4096,
  rejectedMemory: 0,
  rejectedEntries: 1,
  tagEntries: 1,
  flightDeadline: 10_000,
  registrySilence: 3_000,
  requestBudget: 60,
  requestBudgetPerSecond: 2,
};

const sourceWith = (signature: string): Source => {
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      layers: [
        {
          mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
          size: PAYLOAD.length,
          digest: digestOf(PAYLOAD),
          annotations: { 'dev.cosignproject.cosign/signature': signature },
        },
      ],
    }),
  );
  return {
    id: REPOSITORY.name,
    resolve: async () => undefined,
    manifest: async () => ({ digest: digestOf(bytes), mediaType: undefined, bytes }),
    blob: async () => Buffer.from(PAYLOAD),
    referrers: async () => ({ descriptors: [], more: false }),
  };
};

const verifyCanary = async (signature: string, digest: Digest): Promise<Verification> => {
  const parsed = await parseKeys(KEY);
  if (!parsed.ok) throw new Error(`canary: the key ${parsed.problem}`);
  const [key] = parsed.keys;
  const trusted = { ...key, source: 'canary', pinned: true, for: undefined, covers: undefined };
  const ring = { keys: new Map([[key.keyId, trusted]]), missing: [] };
  const reference: ImageReference = { text: REPOSITORY.name, repository: REPOSITORY, tag: undefined, digest };
  const request: VerificationRequest = {
    reference,
    places: [],
    component: undefined,
    componentOf: () => undefined,
    componentOfStart: () => undefined,
    isLikelyBundled: false,
    signaturesAt: [REPOSITORY],
  };
  const { verify } = createVerifier({
    open: () => sourceWith(signature),
    ring: () => ring,
    limits: LIMITS,
    tagMemory: 0,
    now: () => 0,
    report: String,
  });
  return verify(request, new AbortController().signal);
};

/** The problem of each case of the canary; undefined: its outcome is the expected one. */
export type CanaryProblems = Readonly<Record<'good' | 'forged' | 'borrowed', string | undefined>>;

const problemOf = async (
  name: keyof CanaryProblems,
  verification: Promise<Verification>,
  expected: string,
): Promise<string | undefined> => {
  const result = await verification.catch(messageOf);
  if (typeof result === 'string') return `canary: ${result}`;
  const code = result.outcome === 'verified' ? result.outcome : result.reason.code;
  return code === expected
    ? undefined
    : `canary: expected ${expected} for the ${name} signature, got ${code}`;
};

/** Verifies one good and two bad signatures with the verifier of images. Never rejects. */
export const canaryProblems = async (): Promise<CanaryProblems> => ({
  good: await problemOf('good', verifyCanary(SIGNATURE, SIGNED), 'verified'),
  forged: await problemOf('forged', verifyCanary(FORGED, SIGNED), 'signer-untrusted'),
  borrowed: await problemOf('borrowed', verifyCanary(SIGNATURE, OTHER), 'signature-for-other-image'),
});

/** Runs the canary. Rejects if an outcome is wrong: the process must then not start to verify images. */
export const runCanary = async (): Promise<void> => {
  const [problem] = Object.values(await canaryProblems()).filter((text) => text !== undefined);
  if (problem !== undefined) throw new Error(problem);
};
