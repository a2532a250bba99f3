import { workloads } from '../../admission/index.ts';
import { isJsonObject, type JsonObject, memberOf } from '../../base/index.ts';
import { CommandError } from '../command-line/command.ts';
import { parseDocuments } from './yaml.ts';

/** One object as the AdmissionReview that would be sent for it, or the one that was. */
export interface Reviewable {
  readonly review: unknown;
  /** `pods.yaml: document 3, item 2`. */
  readonly place: string;
}

export interface Manifests {
  readonly objects: readonly Reviewable[];
  /** How many objects hold no pod. */
  readonly skipped: number;
}

type Placed = readonly [document: unknown, place: string];

const textAt = (from: unknown, name: string): string => {
  const value = memberOf(from, name);
  return typeof value === 'string' ? value : '';
};

/** Items of a typed list (`PodList`) need not say again what they are. */
const withTypeOf = (list: JsonObject, item: unknown): unknown => {
  const kind = textAt(list, 'kind').slice(0, -'List'.length);
  return kind !== '' && isJsonObject(item) && textAt(item, 'kind') === ''
    ? { ...item, apiVersion: list['apiVersion'], kind }
    : item;
};

/** Lists (`kind: List`, `PodList`), and lists in lists, taken apart. */
const flatten = ([document, place]: Placed): readonly Placed[] => {
  if (!isJsonObject(document) || !textAt(document, 'kind').endsWith('List')) return [[document, place]];
  const { items } = document;
  return Array.isArray(items)
    ? items.flatMap((item, index) => flatten([withTypeOf(document, item), `${place}, item ${index + 1}`]))
    : [[document, place]];
};

const findWorkload = (object: JsonObject) => {
  const [group = ''] = textAt(object, 'apiVersion').split('/').slice(0, -1);
  return workloads.find((one) => one.group === group && one.kind === textAt(object, 'kind'));
};

/** The review of an object as if it were created now. */
const creationOf = (
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

const reviewableOf = ([document, place]: Placed, defaultNamespace: string): Reviewable | undefined => {
  if (!isJsonObject(document)) throw new CommandError(`${place}: not a Kubernetes object`);
  const kind = textAt(document, 'kind');
  if (kind === '') throw new CommandError(`${place}: not a Kubernetes object: it has no kind`);
  if (kind === 'AdmissionReview') return { review: document, place };
  const workload = findWorkload(document);
  return workload && creationOf(document, workload, { place, defaultNamespace });
};

/**
 * Reads manifests or captured AdmissionReviews, YAML or JSON; `name` is the file's, for people. Rejects with
 * `CommandError`, which says where.
 */
export const parseManifests = async (
  text: string,
  name: string,
  defaultNamespace: string,
): Promise<Manifests> => {
  const documents = (await parseDocuments(text, name))
    .map((document, index): Placed => [document, `${name}: document ${index + 1}`])
    .filter(([document]) => document !== null && document !== undefined);
  // A list without items is a list all the same: `kubectl get -o json` prints one where there is nothing to get.
  if (documents.length === 0)
    throw new CommandError(`${name} holds nothing: manifests in YAML or JSON are expected`);
  const objects = documents.flatMap(flatten);
  const reviewable = objects
    .map((object) => reviewableOf(object, defaultNamespace))
    .filter((object) => object !== undefined);
  return { objects: reviewable, skipped: objects.length - reviewable.length };
};

/** Every text that stands where an image could: for the flag that allows plain HTTP to their hosts, and no verdict. */
export const imagesNamedIn = ({ review }: Reviewable): readonly string[] => {
  const images: string[] = [];
  JSON.stringify(review, (name, value: unknown) => {
    if ((name === 'image' || name === 'reference') && typeof value === 'string') images.push(value);
    return value;
  });
  return images;
};
