import { findDocumentImages, workloads } from '../../admission/index.ts';
import { isJsonObject, type JsonObject, listWithin, memberOf, textOf } from '../../base/index.ts';
import { CommandError } from '../command-line/command.ts';
import type { Source } from './sources.ts';
import { parseDocuments } from './yaml.ts';

/** An object of the input, and the AdmissionReview for it. */
export interface Reviewable {
  /** Captured, or made for the object as if it were created now. */
  readonly review: unknown;
  /** Undefined if the review was captured: then the webhook decides what is judged. */
  readonly document: JsonObject | undefined;
  /** The place of the object in the input: `pods.yaml: document 3, item 2`. */
  readonly place: string;
  readonly origin: Origin;
}

/** Where an object came from. */
export interface Origin {
  readonly source: Source;
  /** The number of the document in the source, from 0. */
  readonly document: number;
  /** The object's path in the document: `items[2]`; empty if it is the document. */
  readonly path: string;
}

interface Placed {
  readonly document: unknown;
  readonly place: string;
  readonly origin: Origin;
}

const joined = (path: string, member: string): string => (path === '' ? member : `${path}.${member}`);

/** The member `name` if it is a string, otherwise an empty string. */
export const textAt = (object: unknown, name: string): string => textOf(memberOf(object, name)) ?? '';

/** Adds the type of a typed list (`PodList`) to an item that does not repeat it. */
const withTypeOf = (list: JsonObject, item: unknown): unknown => {
  const kind = textAt(list, 'kind').slice(0, -'List'.length);
  return kind !== '' && isJsonObject(item) && textAt(item, 'kind') === ''
    ? { ...item, apiVersion: list['apiVersion'], kind }
    : item;
};

/** Returns the objects in a list (`kind: List`, `PodList`), including nested lists. */
const flatten = (placed: Placed): readonly Placed[] => {
  const { document, place, origin } = placed;
  if (!isJsonObject(document) || !textAt(document, 'kind').endsWith('List')) return [placed];
  const { items } = document;
  if (!Array.isArray(items)) return [placed];
  return items.flatMap((item, index) =>
    flatten({
      document: withTypeOf(document, item),
      place: `${place}, item ${index + 1}`,
      origin: { ...origin, path: joined(origin.path, `items[${index}]`) },
    }),
  );
};

/** The kind, and the resource of a kind that Kubernetes does not define: only workloads are found by theirs. */
const typeOf = (object: JsonObject) => {
  const [group = ''] = textAt(object, 'apiVersion').split('/').slice(0, -1);
  const kind = textAt(object, 'kind');
  const known = workloads.find((workload) => workload.group === group && workload.kind === kind);
  return { group, kind, resource: known?.resource ?? `${kind.toLowerCase()}s` };
};

/** Makes the AdmissionReview for an object as if it were created now. */
const createReview = (object: JsonObject, place: string, defaultNamespace: string): unknown => {
  const { group, kind, resource } = typeOf(object);
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
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request };
};

const toReviewable = ({ document, place, origin }: Placed, defaultNamespace: string): Reviewable => {
  if (!isJsonObject(document)) throw new CommandError(`${place}: not a Kubernetes object`);
  const kind = textAt(document, 'kind');
  if (kind === '') throw new CommandError(`${place}: not a Kubernetes object: it has no kind`);
  return kind === 'AdmissionReview'
    ? {
        review: document,
        document: undefined,
        place,
        origin: { ...origin, path: joined(origin.path, 'request.object') },
      }
    : { review: createReview(document, place, defaultNamespace), document, place, origin };
};

/** Parses one source. Rejects with `CommandError`, which names the place. */
const parseSource = async (source: Source): Promise<readonly Placed[]> =>
  (await parseDocuments(source.text, source.name))
    .map(
      (document, index): Placed => ({
        document,
        place: `${source.name}: document ${index + 1}`,
        origin: { source, document: index, path: '' },
      }),
    )
    .filter(({ document }) => document !== null && document !== undefined);

/**
 * Parses manifests or captured AdmissionReviews in YAML or JSON, and takes lists apart. Rejects with `CommandError`, which
 * names the place, also if there is no document at all.
 */
export const parseManifests = async (
  sources: readonly Source[],
  defaultNamespace: string,
): Promise<readonly Reviewable[]> => {
  const documents: Placed[] = [];
  for (const source of sources) documents.push(...(await parseSource(source)));
  const names = sources.map(({ name }) => name);
  // A list without items is valid input: `kubectl get -o json` prints one if there is nothing to get.
  if (documents.length === 0)
    throw new CommandError(
      `${listWithin(names, 300)} ${names.length === 1 ? 'is' : 'are'} empty: expected manifests in YAML or JSON`,
    );
  return documents.flatMap(flatten).map((placed) => toReviewable(placed, defaultNamespace));
};

/**
 * Returns every string that may be an image reference. Only for `--allow-http-registry`: no verdict depends on it.
 */
export const findImageNames = ({ review, document }: Reviewable): readonly string[] => {
  const images = document === undefined ? [] : findDocumentImages(document).uses.map(({ image }) => image);
  JSON.stringify(review, (name, value: unknown) => {
    if ((name === 'image' || name === 'reference') && typeof value === 'string') images.push(value);
    return value;
  });
  return images;
};
