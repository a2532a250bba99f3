import { workloads } from '../../admission/index.ts';
import { isJsonObject, type JsonObject, memberOf } from '../../base/index.ts';
import { CommandError } from '../command-line/command.ts';
import { parseDocuments } from './yaml.ts';

/** An AdmissionReview: captured, or made for an object as if it were created now. */
export interface Reviewable {
  readonly review: unknown;
  /** The place of the object in the input: `pods.yaml: document 3, item 2`. */
  readonly place: string;
}

export interface Manifests {
  readonly objects: readonly Reviewable[];
  /** The number of objects without a pod or pod template. */
  readonly skipped: number;
}

type Placed = readonly [document: unknown, place: string];

/** The member `name` if it is a string, otherwise an empty string. */
const textAt = (object: unknown, name: string): string => {
  const value = memberOf(object, name);
  return typeof value === 'string' ? value : '';
};

/** Adds the type of a typed list (`PodList`) to an item that does not repeat it. */
const withTypeOf = (list: JsonObject, item: unknown): unknown => {
  const kind = textAt(list, 'kind').slice(0, -'List'.length);
  return kind !== '' && isJsonObject(item) && textAt(item, 'kind') === ''
    ? { ...item, apiVersion: list['apiVersion'], kind }
    : item;
};

/** Returns the objects in a list (`kind: List`, `PodList`), including nested lists. */
const flatten = ([document, place]: Placed): readonly Placed[] => {
  if (!isJsonObject(document) || !textAt(document, 'kind').endsWith('List')) return [[document, place]];
  const { items } = document;
  return Array.isArray(items)
    ? items.flatMap((item, index) => flatten([withTypeOf(document, item), `${place}, item ${index + 1}`]))
    : [[document, place]];
};

const findWorkload = (object: JsonObject) => {
  const [group = ''] = textAt(object, 'apiVersion').split('/').slice(0, -1);
  return workloads.find((workload) => workload.group === group && workload.kind === textAt(object, 'kind'));
};

/** Makes the AdmissionReview for an object as if it were created now. */
const createReview = (
  object: JsonObject,
  { group, resource, kind }: (typeof workloads)[number],
  { place, defaultNamespace }: { readonly place: string; readonly defaultNamespace: string },
): Reviewable => {
  const version = textAt(object, 'apiVersion').split('/').at(-1);
  const { metadata } = object;
  const request = {
    uid: place,
    kind: { group, version, kind },
    resource: { group, version, resource },
    name: textAt(metadata, 'name'),
    namespace: textAt(metadata, 'namespace') || defaultNamespace,
    operation: 'CREATE',
    object,
    oldObject: null,
    dryRun: true,
  };
  return { review: { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }, place };
};

/** Returns the AdmissionReview of a document; undefined if it has no pod or pod template. */
const toReviewable = ([document, place]: Placed, defaultNamespace: string): Reviewable | undefined => {
  if (!isJsonObject(document)) throw new CommandError(`${place}: not a Kubernetes object`);
  const kind = textAt(document, 'kind');
  if (kind === '') throw new CommandError(`${place}: not a Kubernetes object: it has no kind`);
  if (kind === 'AdmissionReview') return { review: document, place };
  const workload = findWorkload(document);
  return workload && createReview(document, workload, { place, defaultNamespace });
};

/**
 * Parses manifests or captured AdmissionReviews in YAML or JSON. `name` is the input's name in messages. Rejects with
 * `CommandError`, which names the place.
 */
export const parseManifests = async (
  text: string,
  name: string,
  defaultNamespace: string,
): Promise<Manifests> => {
  const documents = (await parseDocuments(text, name))
    .map((document, index): Placed => [document, `${name}: document ${index + 1}`])
    .filter(([document]) => document !== null && document !== undefined);
  // A list without items is valid input: `kubectl get -o json` prints one if there is nothing to get.
  if (documents.length === 0) throw new CommandError(`${name} is empty: expected manifests in YAML or JSON`);
  const objects = documents.flatMap(flatten);
  const reviewable = objects
    .map((object) => toReviewable(object, defaultNamespace))
    .filter((object) => object !== undefined);
  return { objects: reviewable, skipped: objects.length - reviewable.length };
};

/** Returns every string that may be an image reference. Only for `--allow-http-registry`: no verdict depends on it. */
export const findImageNames = ({ review }: Reviewable): readonly string[] => {
  const images: string[] = [];
  JSON.stringify(review, (name, value: unknown) => {
    if ((name === 'image' || name === 'reference') && typeof value === 'string') images.push(value);
    return value;
  });
  return images;
};
