import { isJsonObject, parseJson } from '../base/index.ts';

/** Parses the descriptors of an image index (image-spec, image-index.md); undefined if the bytes are not an index. */
export const parseIndexDescriptors = (bytes: Uint8Array): readonly unknown[] | undefined => {
  const index = parseJson(bytes);
  return isJsonObject(index) && Array.isArray(index['manifests']) ? index['manifests'] : undefined;
};
