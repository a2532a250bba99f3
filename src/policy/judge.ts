import { LRUCache } from 'lru-cache';
import { recallOrElse } from '../base/index.ts';
import {
  type Digest,
  type ImageReference,
  parseDigest,
  parseImageReference,
  type Repository,
} from '../image/index.ts';
import type { ImageClass } from '../istio/index.ts';
import type { Verification, VerificationRequest, Verifier } from '../verification/index.ts';
import type { Judgement } from './decision.ts';
import { needsTagDigest } from './exemption.ts';
import { isOutage } from './outage.ts';
import type { Rules } from './rules.ts';

/** Bounds memory: the parsed and classified texts are cached up to this number, if they are no longer than this. */
const MAX_CACHED_TEXTS = 4096;
const MAX_CACHED_LENGTH = 512;

interface JudgeDependencies {
  readonly classify: (reference: ImageReference) => ImageClass;
  /** True if a text that is not a valid reference may be meant as an Istio image. */
  readonly couldBeIstio: (text: string) => boolean;
  readonly verifier: Verifier;
  readonly revoked: Rules['revoked'];
  readonly exemptions: Rules['exemptions'];
  /** The only repository that signatures are read from, whatever the image; undefined: where its class says. */
  readonly signatureRepository?: Repository | undefined;
}

/** Judges one image, for the webhook and the command line. */
export interface Judge {
  /** Classifies the image by its text alone, with no request sent: `verification` is undefined. Cached by text. */
  readonly inspect: (image: string) => Judgement;
  /** Judges the image from memory, with nothing awaited. Undefined if it must be verified with `judge`. */
  readonly recall: (image: string) => Judgement | undefined;
  /**
   * Classifies the image and, if it is Istio's, verifies it. `always` verifies any image; one that is on no hub or
   * mirror is then verified by its signature alone, with no component and no places. Never rejects unless `verifier` does.
   */
  readonly judge: (
    image: string,
    signal: AbortSignal,
    options?: { readonly always?: boolean; readonly requester?: string | undefined },
  ) => Promise<Judgement>;
}

/** True if an image must be verified before it can be decided. */
export const needsVerification = (judgement: Judgement): boolean =>
  judgement.refused === undefined && judgement.class?.kind === 'istio';

/**
 * Resolves the tag of an image that has a digest too. The digest is usually known: the mutating webhook has just resolved
 * the tag. In an outage it is the last one, and only then: the end of a caller's time must not bring back what the tag
 * stood for before.
 */
const resolveTag = async (
  verifier: Verifier,
  request: VerificationRequest,
  signal: AbortSignal,
): Promise<Pick<Judgement, 'tagDigest'>> => {
  const { tag = 'latest' } = request.reference;
  const byTag = { ...request, reference: { ...request.reference, tag, digest: undefined } };
  const verification = await verifier.verify(byTag, signal);
  const isOut = verification.outcome === 'undetermined' && isOutage(verification.reason);
  const tagDigest = verification.digest ?? (isOut ? verification.lastDigest : undefined);
  return tagDigest === undefined ? {} : { tagDigest };
};

/** Creates a function that finds the first revoked digest of those written, resolved or remembered for an image. */
const createRevocation = (revoked: Rules['revoked']) => {
  const reasons = new Map(revoked.map(({ digest, reason }) => [digest, reason]));
  return (...digests: readonly (Digest | undefined)[]): Judgement['refused'] => {
    if (reasons.size === 0) return undefined;
    const digest = digests.find((candidate) => candidate !== undefined && reasons.has(candidate));
    return digest && { code: 'image-revoked', digest, why: reasons.get(digest) ?? '' };
  };
};

const lastDigestOf = (verification: Verification): Digest | undefined =>
  verification.outcome === 'undetermined' ? verification.lastDigest : undefined;

/** Replaces `signature-missing` by `image-never-signed` if Istio's tables know that, and adds what they only suspect. */
const withHistory = (verification: Verification, imageClass: ImageClass | undefined): Verification => {
  if (verification.outcome !== 'rejected' || verification.reason.code !== 'signature-missing')
    return verification;
  if (imageClass?.kind !== 'istio') return verification;
  const { neverSigned: why, unsignedHint: perhaps } = imageClass;
  if (why !== undefined) return { ...verification, reason: { code: 'image-never-signed', why } };
  return perhaps === undefined
    ? verification
    : { ...verification, reason: { ...verification.reason, perhaps } };
};

const requestForIstio = ({
  places,
  component,
  componentOf,
  componentOfStart,
  isLikelyBundled,
  signaturesAt,
}: Extract<ImageClass, { kind: 'istio' }>) => ({
  places,
  component,
  componentOf,
  componentOfStart,
  isLikelyBundled,
  signaturesAt,
});

/** The request for an image that is not Istio's: any trusted signature satisfies it. */
const SIGNATURE_ALONE = {
  places: [],
  component: undefined,
  componentOf: () => undefined,
  componentOfStart: () => undefined,
  isLikelyBundled: false,
} as const;

/** The digest that a text ends with, valid or not: a runtime may pull a reference that is too long to parse. */
const lastWrittenDigest = (text: string): Digest | undefined =>
  parseDigest(text.slice(text.lastIndexOf('@') + 1));

const UNCLASSIFIED = {
  reference: undefined,
  class: undefined,
  couldBeIstio: false,
  verification: undefined,
} as const;

/** Creates the judge of one configuration: one image, one judgement. */
export const createJudge = (dependencies: JudgeDependencies): Judge => {
  const { classify, couldBeIstio, verifier, revoked, exemptions, signatureRepository } = dependencies;
  const cache = new LRUCache<string, Judgement>({ max: MAX_CACHED_TEXTS });
  const findRevoked = createRevocation(revoked);

  const classifyText = (image: string): Judgement => {
    const parsed = parseImageReference(image);
    const unclassified = { ...UNCLASSIFIED, image };
    if (parsed.ok) {
      const { reference } = parsed;
      const refused = findRevoked(reference.digest);
      return { ...unclassified, reference, class: classify(reference), refused };
    }
    const revokedDigest = findRevoked(lastWrittenDigest(image));
    const refused = revokedDigest ?? ({ code: 'image-reference-invalid', problem: parsed.problem } as const);
    return { ...unclassified, couldBeIstio: couldBeIstio(image), refused };
  };

  const look = (image: string): Judgement => {
    const cached = cache.get(image);
    if (cached !== undefined) return cached;
    const judgement = classifyText(image);
    if (image.length <= MAX_CACHED_LENGTH) cache.set(image, judgement);
    return judgement;
  };

  const requestFor = (reference: ImageReference, imageClass: ImageClass | undefined): VerificationRequest => {
    const request =
      imageClass?.kind === 'istio'
        ? { ...requestForIstio(imageClass), reference }
        : { ...SIGNATURE_ALONE, reference, signaturesAt: [reference.repository] };
    return signatureRepository === undefined ? request : { ...request, signaturesAt: [signatureRepository] };
  };

  const conclude = (seen: Judgement, verification: Verification): Judgement => {
    const refused = findRevoked(verification.digest, lastDigestOf(verification));
    return { ...seen, refused, verification: withHistory(verification, seen.class) };
  };

  return {
    inspect: look,
    recall: (image) => {
      const seen = look(image);
      if (!needsVerification(seen) || seen.reference === undefined) return seen;
      const verified = verifier.recall(requestFor(seen.reference, seen.class));
      return verified && conclude(seen, verified);
    },
    judge: async (image, signal, options) => {
      const seen = look(image);
      const wanted = needsVerification(seen) || (options?.always === true && seen.refused === undefined);
      if (!wanted || seen.reference === undefined) return seen;
      const request = { ...requestFor(seen.reference, seen.class), requester: options?.requester };
      const verification = await recallOrElse<Verification>(
        () => verifier.recall(request),
        () => verifier.verify(request, signal),
      );
      const judgement = conclude(seen, verification);
      return verification.outcome === 'verified' || !needsTagDigest(exemptions, seen.reference)
        ? judgement
        : { ...judgement, ...(await resolveTag(verifier, request, signal)) };
    },
  };
};
