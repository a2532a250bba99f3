/** A JSON object; its members are anything. */
export type JsonObject = { readonly [name: string]: unknown };

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Go writes an empty field as `null` or leaves it out: both are absence. */
export const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null;
