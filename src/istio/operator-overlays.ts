import { isJsonObject, type JsonObject, memberOf, textOf } from '../base/index.ts';
import type { ConfiguredImages, NamedImage } from './image-choice.ts';

/*
 * Source: istio/istio `operator/pkg/apis/types.go` (K8sObjectOverlay): patches of rendered objects, each with a path such as
 * `spec.template.spec.containers.[name:discovery].image`.
 */

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

type Found = NamedImage | string;

/** The images in the value of a patch: of the container `name`, or of those that have names in the value. */
const imagesIn = (value: unknown, name: string | undefined, path: string): readonly Found[] => {
  if (Array.isArray(value))
    return value.flatMap((item: unknown, index) => imagesIn(item, undefined, `${path}[${index}]`));
  if (!isJsonObject(value)) return [];
  const image = memberOf(value, 'image');
  const container = textOf(memberOf(value, 'name')) ?? name;
  const own: readonly Found[] = typeof image === 'string' ? [imageAt(image, container, `${path}.image`)] : [];
  const nested = Object.entries(value).flatMap(([key, member]) =>
    imagesIn(member, undefined, `${path}.${key}`),
  );
  return [...own, ...nested];
};

const imageAt = (image: string, container: string | undefined, path: string): Found =>
  container === undefined
    ? `${path} replaces the image of a container that is not known by name: ${image}`
    : { image, path, container };

const patchImages = (patch: unknown, path: string): readonly Found[] => {
  const target = textOf(memberOf(patch, 'path')) ?? '';
  const value = memberOf(patch, 'value');
  const [, name, rest = ''] = /\[name:([^\]]+)\](\.[^[\]]*)?$/.exec(target) ?? [];
  if (/(?:^|[.\]])image$/.test(target))
    return typeof value === 'string'
      ? [imageAt(value, rest === '.image' ? name : undefined, `${path}.value`)]
      : [`${path} changes an image in a form that is not read: ${target}`];
  // A text holds a whole template or its values: `data.config` of the injector's ConfigMap.
  if (typeof value === 'string' && /image["']?\s*:/.test(value))
    return [`${path} has an image in a text that is not read: ${target}`];
  return imagesIn(value, rest === '' ? name : undefined, `${path}.value`);
};

/** Finds the images that the overlays of an IstioOperator's component write; `path` is that of the component. */
export const overlayImages = (component: JsonObject, path: string): ConfiguredImages => {
  const found = listOf(memberOf(memberOf(component, 'k8s'), 'overlays')).flatMap((overlay, at) =>
    listOf(memberOf(overlay, 'patches')).flatMap((patch, index) =>
      patchImages(patch, `${path}.k8s.overlays[${at}].patches[${index}]`),
    ),
  );
  return {
    images: found.filter((one) => typeof one !== 'string'),
    unknown: found.filter((one) => typeof one === 'string'),
  };
};
