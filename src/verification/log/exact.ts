/**
 * Decodes canonical base64 (RFC 4648, sections 3.5 and 4), as logs and cosign write it; undefined for anything else.
 */
export const parseExactBase64 = (value: unknown): Buffer | undefined => {
  if (typeof value !== 'string') return undefined;
  const bytes = Buffer.from(value, 'base64');
  return bytes.toString('base64') === value ? bytes : undefined;
};

/** Decodes lower-case hex; undefined for anything else. */
export const parseExactHex = (value: unknown): Buffer | undefined => {
  if (typeof value !== 'string') return undefined;
  const bytes = Buffer.from(value, 'hex');
  return bytes.toString('hex') === value ? bytes : undefined;
};

const MAX_INT64_DIGITS = 19;

/**
 * Parses a non-negative integer to decimal text. JSON has it as a number or, as protojson writes an int64, as text;
 * protojson leaves out 0.
 */
export const parseExactCount = (value: unknown): string | undefined => {
  if (value === undefined) return '0';
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? String(value) : undefined;
  const isDecimal = typeof value === 'string' && /^(?:0|[1-9]\d*)$/.test(value);
  return isDecimal && value.length <= MAX_INT64_DIGITS ? value : undefined;
};

/** Parses a non-negative integer that is safe in JavaScript. */
export const parseSafeCount = (value: unknown): number | undefined => {
  const count = Number(parseExactCount(value));
  return Number.isSafeInteger(count) ? count : undefined;
};

type Complete<T> = { readonly [K in keyof T]: Exclude<T[K], undefined> };

/** Returns the fields if none is undefined, or the name of the first that is. */
export const requireAll = <T extends object>(
  fields: T,
): { readonly fields: Complete<T> } | { readonly missing: string } => {
  const missing = Object.entries(fields).find(([, value]) => value === undefined)?.[0];
  return missing === undefined ? { fields: fields as Complete<T> } : { missing };
};
