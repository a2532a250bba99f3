/** The bytes that base64 spells in its one canonical way (RFC 4648, sections 3.5 and 4), as logs and cosign write it. */
export const parseExactBase64 = (value: unknown): Buffer | undefined => {
  if (typeof value !== 'string') return undefined;
  const bytes = Buffer.from(value, 'base64');
  return bytes.toString('base64') === value ? bytes : undefined;
};

/** The bytes that lower-case hex spells. */
export const parseExactHex = (value: unknown): Buffer | undefined => {
  if (typeof value !== 'string') return undefined;
  const bytes = Buffer.from(value, 'hex');
  return bytes.toString('hex') === value ? bytes : undefined;
};

const INT64_DIGITS = 19;

/**
 * A whole number from 0 as decimal text. In JSON it is a number, or text as protojson writes an int64; protojson leaves
 * out what is 0.
 */
export const parseExactCount = (value: unknown): string | undefined => {
  if (value === undefined) return '0';
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? String(value) : undefined;
  const isDecimal = typeof value === 'string' && /^(?:0|[1-9]\d*)$/.test(value);
  return isDecimal && value.length <= INT64_DIGITS ? value : undefined;
};

/** A whole number from 0 that JavaScript holds exactly. */
export const parseSafeCount = (value: unknown): number | undefined => {
  const count = Number(parseExactCount(value));
  return Number.isSafeInteger(count) ? count : undefined;
};

type Complete<T> = { readonly [K in keyof T]: Exclude<T[K], undefined> };

/** The fields when every one could be read, or the name of the first that could not. */
export const requireAll = <T extends object>(
  fields: T,
): { readonly fields: Complete<T> } | { readonly missing: string } => {
  const missing = Object.entries(fields).find(([, value]) => value === undefined)?.[0];
  return missing === undefined ? { fields: fields as Complete<T> } : { missing };
};
