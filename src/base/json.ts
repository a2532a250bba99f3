/** A JSON object. Its members are unknown until they are checked. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** True for a JSON object; false for `null`, an array or a scalar. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** True for `undefined` and `null`: Go omits an empty field or writes `null`. */
export const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null;

/** Returns a text, or undefined for any other value. */
export const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/**
 * Returns the own member `name` of an object; undefined if it is absent or `null`, which Go's encoding/json and protojson
 * read alike. An element of a list may not be `null`: check it with {@link isJsonObject}. Inherited members (`constructor`,
 * `__proto__`) are not JSON.
 */
export const memberOf = (value: unknown, name: string): unknown =>
  isJsonObject(value) && Object.hasOwn(value, name) ? (value[name] ?? undefined) : undefined;

/** Returns the list in member `name` of an object: empty if it is absent or `null`, undefined if it is no list. */
export const listMemberOf = (value: unknown, name: string): readonly unknown[] | undefined => {
  const member = memberOf(value, name) ?? [];
  return Array.isArray(member) ? (member as readonly unknown[]) : undefined;
};

/** Parses JSON (RFC 8259) from text or UTF-8 bytes. Returns undefined if the input is not JSON. */
export const parseJson = (input: Uint8Array | string): unknown => {
  try {
    return JSON.parse(
      typeof input === 'string' ? input : new TextDecoder('utf-8', { fatal: true }).decode(input),
    );
  } catch {
    return undefined;
  }
};
