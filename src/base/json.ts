/** A JSON object. Its members are unknown until they are checked. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** True for a JSON object; false for `null`, an array or a scalar. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Go writes an empty field as `null` or leaves it out: both mean absent. */
export const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null;

/** The own member `name` of an object. Inherited members (`constructor`, `__proto__`) do not exist in JSON. */
export const memberOf = (value: unknown, name: string): unknown =>
  isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;

/** Parsed JSON (RFC 8259), or undefined where a text, or bytes in UTF-8, are not JSON. */
export const parseJson = (from: Uint8Array | string): unknown => {
  try {
    return JSON.parse(
      typeof from === 'string' ? from : new TextDecoder('utf-8', { fatal: true }).decode(from),
    );
  } catch {
    return undefined;
  }
};
