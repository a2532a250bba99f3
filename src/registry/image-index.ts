import { isJsonObject, parseJson } from '../base/index.ts';

/** The descriptors that an image index lists (image-spec, image-index.md); undefined where the bytes are no index. */
export const parseIndexDescriptors = (bytes: Uint8Array): readonly unknown[] | undefined => {
  const index = parseJson(bytes);
  return isJsonObject(index) && Array.isArray(index['manifests']) ? index['manifests'] : undefined;
};
