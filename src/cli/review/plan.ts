import { findDocumentImages, findWholeSubject, MalformedReview } from '../../admission/index.ts';
import { memberOf } from '../../base/index.ts';
import type { Config } from '../../config/index.ts';
import { createClassifier } from '../../istio/index.ts';
import { CommandError } from '../command-line/command.ts';
import { createRecogniser, type Recogniser } from './could-be-istio.ts';
import { type Reviewable, textAt } from './manifests.ts';
import { findUnjudged, type Unjudged } from './unjudged.ts';

/** An object with images that could be Istio's and that no review judges. */
export interface UnjudgedObject {
  readonly place: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly images: readonly Unjudged[];
  /** Sentences about images that the object causes but does not name. */
  readonly unknown: readonly string[];
}

/** The objects of the input by what becomes of them; one may be both reviewed and have more than is judged. */
export interface Plan {
  readonly reviewed: readonly Reviewable[];
  readonly unjudged: readonly UnjudgedObject[];
  /** The number of objects that are not reviewed. */
  readonly skipped: number;
}

const subjectOf = ({ review, place }: Reviewable) => {
  try {
    return findWholeSubject(review);
  } catch (error) {
    if (!(error instanceof MalformedReview)) throw error;
    throw new CommandError(`${place}: ${error.message}`);
  }
};

const unjudgedIn = (
  { place, document, review }: Reviewable,
  judged: readonly string[],
  recogniser: Recogniser,
): readonly UnjudgedObject[] => {
  const request = memberOf(review, 'request');
  const object = document ?? memberOf(request, 'object');
  const images = findUnjudged(object, new Set(judged), recogniser);
  const { unknown } = findDocumentImages(object);
  if (images.length === 0 && unknown.length === 0) return [];
  const [kind, namespace] = [textAt(object, 'kind'), textAt(request, 'namespace')];
  return [{ place, kind, namespace, name: textAt(memberOf(object, 'metadata'), 'name'), images, unknown }];
};

/** Decides what is reviewed, and finds what is not judged then. Throws `CommandError` for a malformed object. */
export const planReview = (objects: readonly Reviewable[], { places }: Pick<Config, 'places'>): Plan => {
  const recogniser = createRecogniser(createClassifier(places));
  const reviewed: Reviewable[] = [];
  const unjudged: UnjudgedObject[] = [];
  for (const object of objects) {
    const subject = subjectOf(object);
    const isCaptured = object.document === undefined;
    const isOther = subject.skipped === 'kind';
    if (!isOther || isCaptured) reviewed.push(object);
    const judged = subject.skipped === undefined ? subject.uses.map(({ image }) => image) : [];
    // The webhook is not asked about more than what is new in a captured review.
    if (!isCaptured || isOther) unjudged.push(...unjudgedIn(object, judged, recogniser));
  }
  return { reviewed, unjudged, skipped: objects.length - reviewed.length };
};
