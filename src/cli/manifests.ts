import { workloads } from '../admission/index.ts';
import { InputError } from './input.ts';

/** One object, as the AdmissionReview that would be sent for it. */
export interface Reviewable {
  readonly review: unknown;
  /** `document 3`, `document 3, item 2`. */
  readonly place: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface Manifests {
  readonly objects: readonly Reviewable[];
  /** Objects that hold no pod. */
  readonly skipped: number;
}

type JsonObject = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const textAt = (from: unknown, name: string): string => {
  const value = isObject(from) && Object.hasOwn(from, name) ? from[name] : undefined;
  return typeof value === 'string' ? value : '';
};

/** Every document of a text, JSON being YAML. Throws `InputError` with the line. */
const parseDocuments = async (text: string): Promise<readonly unknown[]> => {
  const { loadAll, YAMLException } = await import('js-yaml');
  try {
    return loadAll(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    const mark = error instanceof YAMLException ? error.mark : undefined;
    const line = mark === undefined ? '' : `document ${documentAt(text, mark.line)}, line ${mark.line + 1}: `;
    throw new InputError(`${line}not YAML: ${error instanceof YAMLException ? error.reason : String(error)}`);
  }
};

const documentAt = (text: string, line: number): number => {
  const separators = text
    .split('\n')
    .slice(0, line + 1)
    .filter((one) => /^---(?:\s|$)/.test(one));
  return Math.max(1, separators.length + (/^\s*---/.test(text) ? 0 : 1));
};

/** Lists (`kind: List`, and what `kubectl get -o json` prints) taken apart. */
const flatten = (document: unknown, place: string): readonly (readonly [unknown, string])[] => {
  const items =
    isObject(document) && textAt(document, 'kind').endsWith('List') ? document['items'] : undefined;
  return Array.isArray(items)
    ? items.flatMap((item, index) => flatten(item, `${place}, item ${index + 1}`))
    : [[document, place]];
};

const capturedReview = (document: JsonObject, place: string): Reviewable => {
  const request = isObject(document['request']) ? document['request'] : {};
  return {
    review: document,
    place,
    kind: textAt(request['kind'], 'kind'),
    namespace: textAt(request, 'namespace'),
    name: textAt(request, 'name'),
  };
};

const createReview = (
  object: JsonObject,
  workload: (typeof workloads)[number],
  place: string,
  defaultNamespace: string,
): Reviewable => {
  const [version = ''] = textAt(object, 'apiVersion').split('/').slice(-1);
  const { group, resource, kind } = workload;
  const { metadata } = object;
  const namespace = textAt(metadata, 'namespace') || defaultNamespace;
  const name = textAt(metadata, 'name');
  const request = {
    uid: place,
    kind: { group, version, kind },
    resource: { group, version, resource },
    name,
    namespace,
    operation: 'CREATE',
    userInfo: {},
    object,
    oldObject: null,
    dryRun: true,
  };
  return {
    review: { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request },
    place,
    kind,
    namespace,
    name: name || `${textAt(metadata, 'generateName')}*`,
  };
};

const reviewableOf = (document: unknown, place: string, defaultNamespace: string): Reviewable | undefined => {
  if (!isObject(document)) throw new InputError(`${place}: not a Kubernetes object`);
  if (textAt(document, 'kind') === 'AdmissionReview') return capturedReview(document, place);
  const [group = ''] = textAt(document, 'apiVersion').includes('/')
    ? textAt(document, 'apiVersion').split('/')
    : [''];
  if (textAt(document, 'kind') === '')
    throw new InputError(`${place}: not a Kubernetes object: it has no kind`);
  const workload = workloads.find((one) => one.group === group && one.kind === textAt(document, 'kind'));
  return workload === undefined ? undefined : createReview(document, workload, place, defaultNamespace);
};

/** Reads manifests or captured AdmissionReviews, YAML or JSON. Rejects with `InputError`, which says where. */
export const parseManifests = async (text: string, defaultNamespace: string): Promise<Manifests> => {
  const documents = (await parseDocuments(text))
    .map((document, index) => [document, `document ${index + 1}`] as const)
    .filter(([document]) => document !== null && document !== undefined)
    .flatMap(([document, place]) => flatten(document, place));
  if (documents.length === 0)
    throw new InputError('there is nothing in it: manifests in YAML or JSON are expected');
  const objects = documents
    .map(([document, place]) => reviewableOf(document, place, defaultNamespace))
    .filter((object) => object !== undefined);
  return { objects, skipped: documents.length - objects.length };
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
