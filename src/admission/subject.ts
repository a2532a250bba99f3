import { isAbsent, isJsonObject, type JsonObject, memberOf } from '../base/index.ts';
import type { ImageUse } from '../policy/index.ts';
import { type AdmissionRequest, parseAdmissionReview } from './admission-review.ts';
import { findAnnotatedImages, findDocumentImages } from './document-images.ts';
import { changedUses, imageUses, markIstiod } from './image-uses.ts';
import { createProblems, type Note } from './malformed-review.ts';
import { findWorkload, type Workload } from './workloads.ts';

/** The reason why a review was allowed without judging an image. */
export type SkipReason =
  /** DELETE or CONNECT. */
  | 'operation'
  /** A subresource other than pods/ephemeralcontainers. */
  | 'subresource'
  /** A resource without a pod spec. */
  | 'kind'
  /** The mirror pod, created by a node, of a static pod: that runs already, and refusing its mirror would only hide it. */
  | 'static-pod-mirror'
  /** No image is new or changed. */
  | 'no-new-image';

/** The image uses of a request to judge, or the reason why there are none. */
export type Subject =
  | { readonly skipped: SkipReason }
  | {
      readonly skipped: undefined;
      readonly holds: Workload['holds'];
      readonly uses: readonly ImageUse[];
      /** Every image use of the object before an update. */
      readonly before: readonly ImageUse[];
    };

const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';

/**
 * Anyone who can create pods can set the annotation, and only the kubelet's own code keeps such a pod from starting. So
 * it counts only from a node, which the API server (NodeRestriction) allows to create mirror pods only.
 */
const isMirrorByNode = ({ operation, object, username, groups }: AdmissionRequest): boolean => {
  if (operation !== 'CREATE' || !username.startsWith('system:node:') || !groups.includes('system:nodes'))
    return false;
  const metadata = isJsonObject(object) ? object['metadata'] : undefined;
  const annotations = isJsonObject(metadata) ? metadata['annotations'] : undefined;
  return isJsonObject(annotations) && typeof annotations[MIRROR_ANNOTATION] === 'string';
};

const podSpecOf = (
  object: unknown,
  { podSpec }: Workload,
  note: Note,
  isRequired: boolean,
): JsonObject | undefined => {
  let value = object;
  for (let depth = 0; ; depth += 1) {
    if (!isJsonObject(value)) {
      if (isRequired || !isAbsent(value)) note(podSpec.slice(0, depth).join('.'), 'must be an object');
      return undefined;
    }
    const field = podSpec[depth];
    if (field === undefined) return value;
    value = value[field];
  }
};

/** The metadata of the pod or of its template. */
const metadataBeside = (object: unknown, { podSpec }: Workload): unknown =>
  [...podSpec.slice(0, -1), 'metadata'].reduce<unknown>((value, field) => memberOf(value, field), object);

const usesIn = (
  object: unknown,
  workload: Workload,
  note: Note,
  isRequired: boolean,
): readonly ImageUse[] => {
  const podSpec = podSpecOf(object, workload, note, isRequired);
  if (podSpec === undefined) return [];
  const uses = imageUses(podSpec, workload.podSpec.join('.'), note);
  return markIstiod(uses, metadataBeside(object, workload), podSpec);
};

const below =
  (root: string, note: Note): Note =>
  (path, problem) =>
    note(path === '' ? root : `${root}.${path}`, problem);

const skippedOf = (request: AdmissionRequest, workload: Workload | undefined): SkipReason | undefined => {
  const { operation, subResource } = request;
  if (operation === 'DELETE' || operation === 'CONNECT') return 'operation';
  if (workload === undefined) return 'kind';
  if (subResource !== '' && !(workload.holds === 'pod' && subResource === 'ephemeralcontainers'))
    return 'subresource';
  return workload.holds === 'pod' && isMirrorByNode(request) ? 'static-pod-mirror' : undefined;
};

/** Finds the images of a document that is no workload of Kubernetes, for the command line. */
const findDocumentSubject = ({ operation, object }: AdmissionRequest): Subject => {
  if (operation === 'DELETE' || operation === 'CONNECT') return { skipped: 'operation' };
  const { uses } = findDocumentImages(object);
  return uses.length === 0
    ? { skipped: 'kind' }
    : { skipped: undefined, holds: 'template', uses, before: [] };
};

/**
 * Finds the image uses to judge: all of a new object, the new and changed ones of an update. The API server has validated
 * the object against its own model, so an object of another shape is malformed: throws `MalformedReview`. With `whole`
 * also the images that the webhook is never asked about: in any kind, and those that an object makes Istio inject.
 */
export const findSubject = (request: AdmissionRequest, whole = false): Subject => {
  const workload = findWorkload(request.group, request.resource);
  if (whole && workload === undefined) return findDocumentSubject(request);
  const skipped = skippedOf(request, workload);
  if (skipped !== undefined || workload === undefined) return { skipped: skipped ?? 'kind' };
  const { note, check } = createProblems();
  const current = usesIn(request.object, workload, below('request.object', note), true);
  const previous =
    request.operation === 'UPDATE'
      ? usesIn(request.oldObject, workload, below('request.oldObject', note), false)
      : [];
  check();
  const injected = whole ? findAnnotatedImages(request.object, workload, current) : [];
  const uses = [...changedUses(current, previous), ...injected];
  return uses.length === 0
    ? { skipped: 'no-new-image' }
    : { skipped, holds: workload.holds, uses, before: previous };
};

/** Finds the images that a review in the command line judges, in a parsed body. Throws `MalformedReview`. */
export const findWholeSubject = (body: unknown): Subject => findSubject(parseAdmissionReview(body), true);
