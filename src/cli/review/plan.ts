import {
  findDocumentImages,
  findPlaceholders,
  findWholeSubject,
  MalformedReview,
} from '../../admission/index.ts';
import { memberOf, quoted } from '../../base/index.ts';
import type { Config } from '../../config/index.ts';
import { createClassifier, injectorRevision } from '../../istio/index.ts';
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

/** The revisions whose injector is in the input, so that what it injects is judged. */
type Injectors = ReadonlySet<string>;

const injectorsIn = (objects: readonly Reviewable[]): Injectors =>
  new Set(objects.flatMap(({ document }) => injectorRevision(document) ?? []));

/** Sentences about images that an injector chooses which is not in the input. */
const chosenElsewhere = (object: unknown, injectors: Injectors): readonly string[] =>
  findPlaceholders(object)
    .filter(({ revision }) => (revision === undefined ? injectors.size === 0 : !injectors.has(revision)))
    .map(
      ({ container, path }) =>
        `the image of container ${quoted(container, 63)} (${path}) is chosen by the injector, by its ConfigMap: review that ConfigMap (istio-sidecar-injector) too`,
    );

const unjudgedIn = (
  { place, document, review }: Reviewable,
  judged: readonly string[],
  recogniser: Recogniser,
  injectors: Injectors,
): readonly UnjudgedObject[] => {
  const request = memberOf(review, 'request');
  const object = document ?? memberOf(request, 'object');
  const images = findUnjudged(object, new Set(judged), recogniser);
  const unknown = [...findDocumentImages(object).unknown, ...chosenElsewhere(object, injectors)];
  if (images.length === 0 && unknown.length === 0) return [];
  const [kind, namespace] = [textAt(object, 'kind'), textAt(request, 'namespace')];
  return [{ place, kind, namespace, name: textAt(memberOf(object, 'metadata'), 'name'), images, unknown }];
};

/** Decides what is reviewed, and finds what is not judged then. Throws `CommandError` for a malformed object. */
export const planReview = (objects: readonly Reviewable[], { places }: Pick<Config, 'places'>): Plan => {
  const recogniser = createRecogniser(createClassifier(places));
  const injectors = injectorsIn(objects);
  const reviewed: Reviewable[] = [];
  const unjudged: UnjudgedObject[] = [];
  for (const object of objects) {
    const subject = subjectOf(object);
    const isCaptured = object.document === undefined;
    const isOther = subject.skipped === 'kind';
    if (!isOther || isCaptured) reviewed.push(object);
    const judged = subject.skipped === undefined ? subject.uses.map(({ image }) => image) : [];
    // The webhook is not asked about more than what is new in a captured review.
    if (!isCaptured || isOther) unjudged.push(...unjudgedIn(object, judged, recogniser, injectors));
  }
  return { reviewed, unjudged, skipped: objects.length - reviewed.length };
};
