import { isJsonObject, type JsonObject, memberOf, parseJson, textOf } from '../../base/index.ts';
import { parseYaml } from '../../config/index.ts';

/** The settings of a mesh for the images that are injected. */
export interface MeshSettings {
  /** `distroless`, `debug`, `default`; undefined: it sets none. */
  readonly imageType: string | undefined;
  /** The namespace whose ProxyConfigs count everywhere; undefined: that of istiod. */
  readonly rootNamespace: string | undefined;
}

const at = (value: unknown, ...names: readonly string[]): unknown =>
  names.reduce<unknown>((from, name) => memberOf(from, name), value);

/** Parses the ConfigMap of a mesh, `istio` or `istio-<revision>`; undefined if it cannot be read. */
export const parseMeshConfig = (object: JsonObject): MeshSettings | undefined => {
  const text = textOf(at(object, 'data', 'mesh'));
  if (text === undefined) return undefined;
  try {
    const mesh = parseYaml(text);
    if (!isJsonObject(mesh)) return undefined;
    const textAt = (...names: readonly string[]): string | undefined =>
      textOf(at(mesh, ...names)) || undefined;
    return {
      imageType: textAt('defaultConfig', 'image', 'imageType'),
      rootNamespace: textAt('rootNamespace'),
    };
  } catch {
    return undefined;
  }
};

/** Puts an image type into the values of an injector's ConfigMap, where the mesh's own stands. */
export const withImageType = (injector: JsonObject, imageType: string): JsonObject => {
  const data = at(injector, 'data');
  const values = parseJson(textOf(at(data, 'values')) ?? '');
  if (!isJsonObject(data) || !isJsonObject(values)) return injector;
  const mesh = at(values, 'meshConfig');
  const meshConfig = {
    ...(isJsonObject(mesh) ? mesh : {}),
    defaultConfig: { ...(at(mesh, 'defaultConfig') as object | undefined), image: { imageType } },
  };
  return { ...injector, data: { ...data, values: JSON.stringify({ ...values, meshConfig }) } };
};
