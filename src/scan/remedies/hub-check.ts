import type { ImageReference } from '../../image/index.ts';
import { lastingHub, type Mirror } from '../../istio/index.ts';
import type { Judge, Judgement } from '../../policy/index.ts';
import { hubNameOf, mirrorOf } from './remedy-key.ts';
import type { GroupedImage, RemedyGroup } from './remedy-tally.ts';

/** The answer of Istio's own hub about the digests of some images. */
export interface HubCheck {
  /** Digests that Istio signed. */
  readonly genuine: number;
  /** Digests that Istio did not sign for this component. */
  readonly foreign: number;
}

/** Digests of one group that are compared: a few tell. */
const MAX_DIGESTS = 4;

/** Returns the name that Istio's hub has for an image: of a look-alike the one that it looks like. */
const nameAtHub = (
  judgement: Judgement,
  reference: ImageReference,
  mirrors: readonly Mirror[],
): string | undefined => {
  if (judgement.class?.kind === 'look-alike') return judgement.class.component;
  const mirror = mirrorOf(judgement, mirrors);
  return mirror?.of === lastingHub ? hubNameOf(reference, mirror) : undefined;
};

/** Returns the reference by which Istio's hub would have what an image is, by digest; undefined if the digest is not known. */
const atHub = ({ judgement, running }: GroupedImage, mirrors: readonly Mirror[]): string | undefined => {
  if (judgement?.reference === undefined) return undefined;
  const { reference, verification } = judgement;
  const digest = reference.digest ?? verification?.digest ?? running;
  const name = nameAtHub(judgement, reference, mirrors);
  return name === undefined || digest === undefined ? undefined : `${lastingHub}/${name}@${digest}`;
};

/**
 * Finds out at Istio's hub if the images of a mirror, or below an unknown prefix, are copies of what Istio signed: by the
 * digests that pods name, tags resolve to and nodes run. An unknown registry itself is never asked.
 */
export const checkAtHub = async (
  { images }: RemedyGroup,
  mirrors: readonly Mirror[],
  judge: Pick<Judge, 'judge'>,
  signal: AbortSignal,
): Promise<HubCheck> => {
  const references = new Set([...images.values()].flatMap((image) => atHub(image, mirrors) ?? []));
  const judgements = await Promise.all(
    [...references].slice(0, MAX_DIGESTS).map((reference) => judge.judge(reference, signal)),
  );
  const outcomes = judgements.map(({ verification }) => verification?.outcome);
  return {
    genuine: outcomes.filter((outcome) => outcome === 'verified').length,
    foreign: outcomes.filter((outcome) => outcome === 'rejected').length,
  };
};
