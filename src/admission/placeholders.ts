import { isJsonObject, type JsonObject, memberOf, textOf } from '../base/index.ts';
import { placeholderImage } from '../istio/index.ts';
import { CONTAINER_LISTS } from './image-uses.ts';
import { walkObjects } from './walk-objects.ts';

/** A container of a pod template for which the injector chooses the image. */
export interface Placeholder {
  readonly container: string;
  /** `spec.template.spec.containers[0].image`. */
  readonly path: string;
  /** The revision of Istio that the template names; undefined: its namespace or cluster does. */
  readonly revision: string | undefined;
}

/** The annotation that names the proxy's image, if it has a path (istio/istio, injection templates). */
export const proxyImageAnnotation = 'sidecar.istio.io/proxyImage';

const placeholdersOf = (spec: JsonObject, path: string, template: unknown): readonly Placeholder[] => {
  const metadata = memberOf(template, 'metadata');
  const chosen = textOf(memberOf(memberOf(metadata, 'annotations'), proxyImageAnnotation));
  if (chosen?.includes('/') === true) return [];
  const revision = textOf(memberOf(memberOf(metadata, 'labels'), 'istio.io/rev'));
  return CONTAINER_LISTS.flatMap(({ field }) => {
    const list = spec[field];
    return (Array.isArray(list) ? list : []).flatMap((container: unknown, index): readonly Placeholder[] =>
      memberOf(container, 'image') === placeholderImage
        ? [
            {
              container: textOf(memberOf(container, 'name')) ?? '',
              path: `${path === '' ? '' : `${path}.`}${field}[${index}].image`,
              revision,
            },
          ]
        : [],
    );
  });
};

/** Finds the images of an object's pod templates that the injector chooses. A Pod is judged after injection. */
export const findPlaceholders = (object: unknown): readonly Placeholder[] => {
  if (!isJsonObject(object) || (object['kind'] === 'Pod' && object['apiVersion'] === 'v1')) return [];
  const found: Placeholder[] = [];
  walkObjects(object, '', (spec, path, parent) => {
    found.push(...placeholdersOf(spec, path, parent));
  });
  return found;
};
