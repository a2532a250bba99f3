import { type Digest, digestOf, parseImageReference, repositoryFromName } from '../../src/image/index.ts';
import type { ImageClass } from '../../src/istio/index.ts';
import type { ImageUse, Judgement, Rules } from '../../src/policy/index.ts';
import type {
  Rejected,
  RejectionReason,
  Undetermined,
  UndeterminedReason,
  Verified,
  Verifier,
} from '../../src/verification/index.ts';

/** The digest of this name. */
export const digestFor = (name: string): Digest => digestOf(name);

/** A verifier without a memory. */
export const withoutMemory = (verify: Verifier['verify']): Verifier => ({ recall: () => undefined, verify });

export const verified = (digest: Digest = digestFor('good'), keyId = 'key-1'): Verified => ({
  outcome: 'verified',
  digest,
  signatures: [
    {
      keyId,
      format: 'simple-signing',
      signedReference: undefined,
      payload: '{}',
      logBundle: undefined,
      logged: undefined,
    },
  ],
  componentProven: false,
  requests: 0,
  fromMemory: true,
});

export const rejected = (
  reason: RejectionReason,
  digest: Digest | undefined = digestFor('bad'),
): Rejected => ({
  outcome: 'rejected',
  digest,
  reason,
  requests: 2,
  fromMemory: false,
});

export const undetermined = (
  reason: UndeterminedReason,
  standsFor?: Undetermined['lastVerified'],
): Undetermined => ({
  outcome: 'undetermined',
  digest: undefined,
  reason,
  requests: 1,
  fromMemory: false,
  ...(standsFor === undefined ? {} : { lastVerified: standsFor }),
});

const nothingNamed = () => undefined;

/** The class of an image of Docker Hub's `istio`. */
export const istioImage = (component: string | undefined = 'proxyv2', neverSigned?: string): ImageClass => ({
  kind: 'istio',
  place: 'docker.io/istio',
  places: ['docker.io/istio'],
  component,
  componentOf: nothingNamed,
  componentOfStart: nothingNamed,
  isLikelyBundled: false,
  signaturesAt: [repositoryFromName('docker.io/istio/proxyv2')],
  neverSigned,
});

export const NOT_OURS: ImageClass = { kind: 'other' };

/** The judgement of an image, by default of an Istio image. */
export const judgement = (
  image: string,
  verification?: Judgement['verification'],
  imageClass: ImageClass = istioImage(),
): Judgement => {
  const parsed = parseImageReference(image);
  return parsed.ok
    ? {
        image,
        reference: parsed.reference,
        class: imageClass,
        couldBeIstio: false,
        refused: undefined,
        verification,
      }
    : {
        image,
        reference: undefined,
        class: undefined,
        couldBeIstio: /istio/.test(image),
        refused: { code: 'image-reference-invalid', problem: parsed.problem },
        verification: undefined,
      };
};

/** A use in the first container, which is named `istio-proxy`. */
export const use = (image: string, overrides: Partial<ImageUse> = {}): ImageUse => ({
  image,
  path: 'spec.containers[0].image',
  name: 'istio-proxy',
  kind: 'container',
  ...overrides,
});

/** The rules of an empty configuration. */
export const rules = (overrides: Partial<Rules> = {}): Rules => ({
  undetermined: {
    enforce: 'allow-verified-tag',
    critical: 'allow-verified-tag',
    tagOutageWindow: 86_400_000,
  },
  lookAlikes: 'deny',
  unrecognised: 'warn',
  requireDigest: false,
  pin: 'never',
  revoked: [],
  exemptions: [],
  ...overrides,
});
