export type JsonObject = Readonly<Record<string, unknown>>;

/** An object of parsed JSON, and no list. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Parsed JSON (RFC 8259), or undefined where a text, or bytes in UTF-8, are none. */
export const parseJson = (from: Uint8Array | string): unknown => {
  try {
    return JSON.parse(
      typeof from === 'string' ? from : new TextDecoder('utf-8', { fatal: true }).decode(from),
    );
  } catch {
    return undefined;
  }
};

/** The descriptors that an image index lists (image-spec, image-index.md); undefined where the bytes are no index. */
export const descriptorsIn = (bytes: Uint8Array): readonly unknown[] | undefined => {
  const index = parseJson(bytes);
  return isJsonObject(index) && Array.isArray(index['manifests']) ? index['manifests'] : undefined;
};
