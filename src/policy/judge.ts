import { LRUCache } from 'lru-cache';
import { type Digest, type ImageReference, parseImageReference } from '../image/index.ts';
import type { ImageClass } from '../istio/index.ts';
import type { Verification, VerificationRequest, VerifyImage } from '../verification/index.ts';
import type { Judgement } from './decision.ts';
import type { Rules } from './rules.ts';

/** Parsing and classifying are remembered for this many texts, none longer than a reference reasonably is. */
const REMEMBERED_TEXTS = 4096;
const REMEMBERED_LENGTH = 512;

interface JudgeDependencies {
  readonly classify: (reference: ImageReference) => ImageClass;
  /** Whether a text that is no reference could mean an image of Istio's. */
  readonly couldBeIstio: (text: string) => boolean;
  readonly verify: VerifyImage;
  readonly revoked: Rules['revoked'];
}

/** Judges one image; both doors call it. Never rejects as long as `verify` does not. */
export interface Judge {
  /**
   * Classifies the image and, if it is Istio's, verifies it. `always`: verifies whatever it is; an image that is not
   * of a hub or mirror is then asked about by its signature alone, with no component and no places.
   */
  (image: string, signal: AbortSignal, options?: { readonly always?: boolean }): Promise<Judgement>;
  /** What the text alone says, with no registry asked: `verification` is undefined. Remembered by text. */
  readonly look: (image: string) => Judgement;
  /** The same judgement where memory suffices, with nothing awaited; undefined: it must be asked for. */
  readonly recall: (image: string) => Judgement | undefined;
}

/** Whether an image must be verified before anything can be said of it. */
export const needsVerification = (judgement: Judgement): boolean =>
  judgement.refused === undefined && judgement.class?.kind === 'istio';

/** Compares digests with the revoked list: every digest that was written, resolved or remembered for an image. */
const createRevocation = (revoked: Rules['revoked']) => {
  const reasons = new Map(revoked.map(({ digest, reason }) => [digest, reason]));
  return (...digests: readonly (Digest | undefined)[]): Judgement['refused'] => {
    if (reasons.size === 0) return undefined;
    const digest = digests.find((one) => one !== undefined && reasons.has(one));
    return digest && { code: 'image-revoked', digest, why: reasons.get(digest) ?? '' };
  };
};

const lastDigestOf = (verification: Verification): Digest | undefined =>
  verification.outcome === 'undetermined' ? verification.lastDigest : undefined;

/** Where the tables know why there is no signature, the reason says that instead; what they guess, it says as well. */
const withHistory = (verification: Verification, imageClass: ImageClass | undefined): Verification => {
  if (verification.outcome !== 'rejected' || verification.reason.code !== 'signature-missing')
    return verification;
  if (imageClass?.kind !== 'istio') return verification;
  const { neverSigned: why, perhapsUnsigned: perhaps } = imageClass;
  if (why !== undefined) return { ...verification, reason: { code: 'image-never-signed', why } };
  return perhaps === undefined
    ? verification
    : { ...verification, reason: { code: 'signature-missing', perhaps } };
};

const askedOfIstio = ({
  places,
  component,
  componentOf,
  signaturesAt,
}: Extract<ImageClass, { kind: 'istio' }>) => ({
  places,
  component,
  componentOf,
  signaturesAt,
});

/** What is asked of an image that is not Istio's: its signature alone. */
const NOBODYS = { places: [], component: undefined, componentOf: () => undefined } as const;

/** The judge of both doors, webhook and command line: one image, one verdict. */
export const createJudge = ({ classify, couldBeIstio, verify, revoked }: JudgeDependencies): Judge => {
  const texts = new LRUCache<string, Judgement>({ max: REMEMBERED_TEXTS });
  const findRevoked = createRevocation(revoked);

  const lookAt = (image: string): Judgement => {
    const parsed = parseImageReference(image);
    const unread = {
      image,
      reference: undefined,
      class: undefined,
      couldBeIstio: false,
      verification: undefined,
    };
    if (parsed.ok) {
      const { reference } = parsed;
      return { ...unread, reference, class: classify(reference), refused: findRevoked(reference.digest) };
    }
    const refused = { code: 'image-reference-invalid', problem: parsed.problem } as const;
    return { ...unread, couldBeIstio: couldBeIstio(image), refused };
  };

  const look = (image: string): Judgement => {
    const known = texts.get(image);
    if (known !== undefined) return known;
    const judgement = lookAt(image);
    if (image.length <= REMEMBERED_LENGTH) texts.set(image, judgement);
    return judgement;
  };

  const askedOf = (reference: ImageReference, imageClass: ImageClass | undefined): VerificationRequest =>
    imageClass?.kind === 'istio'
      ? { ...askedOfIstio(imageClass), reference }
      : { ...NOBODYS, reference, signaturesAt: [reference.repository] };

  const conclude = (seen: Judgement, learned: Verification): Judgement => {
    const refused = findRevoked(learned.digest, lastDigestOf(learned));
    return { ...seen, refused, verification: withHistory(learned, seen.class) };
  };

  const recall = (image: string): Judgement | undefined => {
    const seen = look(image);
    if (!needsVerification(seen) || seen.reference === undefined) return seen;
    const verified = verify.recall?.(askedOf(seen.reference, seen.class));
    return verified && conclude(seen, verified);
  };

  const judge = async (image: string, signal: AbortSignal, options?: { readonly always?: boolean }) => {
    const seen = look(image);
    const wanted = needsVerification(seen) || (options?.always === true && seen.refused === undefined);
    if (!wanted || seen.reference === undefined) return seen;
    return conclude(seen, await verify(askedOf(seen.reference, seen.class), signal));
  };
  return Object.assign(judge, { look, recall });
};
