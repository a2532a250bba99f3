import { isJsonObject, listMemberOf, memberOf, parseJson } from '../base/index.ts';

/**
 * Parses the descriptors of an image index (image-spec, image-index.md); undefined if the bytes are not an index. `null` is
 * how Go writes that there are none; a document without `manifests`, or an image manifest with `null` there, is no index.
 */
export const parseIndexDescriptors = (bytes: Uint8Array): readonly unknown[] | undefined => {
  const index = parseJson(bytes);
  if (!isJsonObject(index) || !Object.hasOwn(index, 'manifests')) return undefined;
  const isManifest = index['manifests'] === null && memberOf(index, 'config') !== undefined;
  return isManifest ? undefined : listMemberOf(index, 'manifests');
};
