import { isAbsent, isJsonObject, type JsonObject } from '../base/index.ts';
import type { ImageUse } from '../policy/index.ts';
import type { AdmissionRequest } from './admission-review.ts';
import { changedUses, imageUses } from './image-uses.ts';
import { createProblems, type Note } from './malformed-review.ts';
import { findWorkload, type Workload } from './workloads.ts';

/** Why a review was allowed with no image looked at. */
export type SkipReason =
  /** DELETE or CONNECT. */
  | 'operation'
  /** A subresource other than pods/ephemeralcontainers. */
  | 'subresource'
  /** Not a resource that holds a pod's specification. */
  | 'kind'
  /** The mirror, made by a node, of a static pod: that runs already, and refusing its mirror only hides it. */
  | 'static-pod-mirror'
  /** No image is new or changed. */
  | 'no-new-image';

/** What of a request is to be judged. */
export type Subject =
  | { readonly skipped: SkipReason }
  | { readonly skipped: undefined; readonly holds: Workload['holds']; readonly uses: readonly ImageUse[] };

const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';

/**
 * Anybody who may create pods can write the annotation, and that no kubelet starts such a pod is the kubelet's word
 * alone. So it counts only from a node, which the API server (NodeRestriction) lets create nothing but mirrors.
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
  needed: boolean,
): JsonObject | undefined => {
  let here = object;
  for (let depth = 0; ; depth += 1) {
    if (!isJsonObject(here)) {
      if (needed || !isAbsent(here)) note(podSpec.slice(0, depth).join('.'), 'must be an object');
      return undefined;
    }
    const field = podSpec[depth];
    if (field === undefined) return here;
    here = here[field];
  }
};

const usesIn = (object: unknown, workload: Workload, note: Note, needed: boolean): readonly ImageUse[] => {
  const podSpec = podSpecOf(object, workload, note, needed);
  return podSpec === undefined ? [] : imageUses(podSpec, workload.podSpec.join('.'), note);
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

/**
 * Finds what of a request is to be judged: every image of a new object, the new and changed ones of an update. The API
 * server has validated the object against its own model, so another shape is malformed: throws `MalformedReview`.
 */
export const findSubject = (request: AdmissionRequest): Subject => {
  const workload = findWorkload(request.group, request.resource);
  const skipped = skippedOf(request, workload);
  if (skipped !== undefined || workload === undefined) return { skipped: skipped ?? 'kind' };
  const { note, check } = createProblems();
  const now = usesIn(request.object, workload, below('request.object', note), true);
  const before =
    request.operation === 'UPDATE'
      ? usesIn(request.oldObject, workload, below('request.oldObject', note), false)
      : [];
  check();
  const uses = changedUses(now, before);
  return uses.length === 0 ? { skipped: 'no-new-image' } : { skipped, holds: workload.holds, uses };
};
