import { isAbsent, isJsonObject, type JsonObject, memberOf } from '../base/index.ts';
import { findConfiguredImages, placeholderImage } from '../istio/index.ts';
import type { ImageUse } from '../policy/index.ts';
import { CONTAINER_LISTS, imageUses, markIstiod } from './image-uses.ts';
import { proxyImageAnnotation } from './placeholders.ts';
import { walkObjects } from './walk-objects.ts';
import type { Workload } from './workloads.ts';

/** The images of a document that starts none itself, and sentences about images that it causes but does not name. */
export interface DocumentImages {
  readonly uses: readonly ImageUse[];
  readonly unknown: readonly string[];
}

const UNNAMED = 'unnamed';

const hasImage = (container: unknown): boolean => {
  const image = memberOf(container, 'image');
  return typeof image === 'string' && image !== '';
};

/** True for the shape of a pod spec: one of its lists holds a container with an image. */
const isPodSpec = (object: JsonObject): boolean =>
  CONTAINER_LISTS.some(({ field }) => {
    const list = object[field];
    return Array.isArray(list) && list.some(hasImage);
  });

/** Gives every container a name: other kinds than Kubernetes' own need none (Knative). */
const withNames = (spec: JsonObject): JsonObject => {
  const named = CONTAINER_LISTS.flatMap(({ field }) => {
    const list = spec[field];
    if (!Array.isArray(list)) return [];
    return [
      [
        field,
        list.map((container: unknown) =>
          isJsonObject(container) && isAbsent(container['name'])
            ? { ...container, name: UNNAMED }
            : container,
        ),
      ] as const,
    ];
  });
  return { ...spec, ...Object.fromEntries(named) };
};

/** Ignores list items that are no containers: they are no image uses, and `review` names the images in them. */
const ignoreProblems = (): void => {};

/** The annotations with which a pod chooses the image that is injected, if it has a path (istio/istio, injection templates). */
const IMAGE_ANNOTATIONS = [proxyImageAnnotation, 'gateway.istio.io/agentgatewayImage'];

/** The container that is injected. */
const INJECTED = 'istio-proxy';

/** True if the sidecar is there, with its image: the annotations choose no other. `review` names what they say as not judged. */
const isInjected = (template: unknown): boolean =>
  CONTAINER_LISTS.some(({ field }) => {
    const list = memberOf(memberOf(template, 'spec'), field);
    return (
      Array.isArray(list) &&
      list.some(
        (container: unknown) =>
          memberOf(container, 'name') === INJECTED &&
          hasImage(container) &&
          memberOf(container, 'image') !== placeholderImage,
      )
    );
  });

/** Finds the images that the annotations of a pod or template make the injector use. */
const annotatedUses = (template: unknown, path: string): readonly ImageUse[] => {
  if (isInjected(template)) return [];
  const annotations = memberOf(memberOf(template, 'metadata'), 'annotations');
  const at = `${path === '' ? '' : `${path}.`}metadata.annotations`;
  return IMAGE_ANNOTATIONS.flatMap((name): readonly ImageUse[] => {
    const image = memberOf(annotations, name);
    return typeof image === 'string' && image.includes('/')
      ? [{ image, path: `${at}["${name}"]`, name: INJECTED, kind: 'container' }]
      : [];
  });
};

/** Finds the image uses of every pod template in an object, by its shape, at any depth. */
const templateUses = (document: JsonObject): readonly ImageUse[] => {
  const uses: ImageUse[] = [];
  walkObjects(document, '', (object, path, parent) => {
    if (isPodSpec(object)) {
      const found = imageUses(withNames(object), path, ignoreProblems);
      uses.push(...markIstiod(found, memberOf(parent, 'metadata'), object));
    }
    const { spec } = object;
    if (isJsonObject(spec) && isPodSpec(spec)) uses.push(...annotatedUses(object, path));
  });
  return uses;
};

/**
 * Finds the images in an object of a kind that Kubernetes does not define, or that starts none itself: of the pod
 * templates in it, and those that it makes Istio inject or install. The work is bounded by the size of the object.
 */
export const findDocumentImages = (object: unknown): DocumentImages => {
  if (!isJsonObject(object)) return { uses: [], unknown: [] };
  const configured = findConfiguredImages(object) ?? { images: [], unknown: [] };
  const named = configured.images.map(
    // Istio's own configuration: its `discovery` is istiod's.
    ({ image, path, container }): ImageUse => ({
      image,
      path,
      name: container,
      kind: 'container',
      inIstiod: true,
    }),
  );
  return { uses: [...templateUses(object), ...named], unknown: configured.unknown };
};

/** Finds the images that the annotations of a workload's pods make the injector use, other than those in `uses`. */
export const findAnnotatedImages = (
  object: unknown,
  { podSpec }: Workload,
  uses: readonly ImageUse[],
): readonly ImageUse[] => {
  const template = podSpec.slice(0, -1);
  const at = template.reduce<unknown>((value, name) => memberOf(value, name), object);
  return annotatedUses(at, template.join('.')).filter(({ image }) =>
    uses.every((use) => use.image !== image),
  );
};
