import { BadRequest } from './bad-request.ts';
import { decodeText } from './decode-text.ts';
import { findOversized, type OversizedReview } from './oversized-review.ts';
import { type BodyLimits, scanBody } from './scan-body.ts';

/** Parses a text; undefined if it is empty. Throws `BadRequest`. */
export const parseText = (text: string): unknown => {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadRequest(`the body is not valid JSON: ${error instanceof Error ? error.message : ''}`);
  }
};

/**
 * Returns the text of a large body, or an `OversizedReview` if it holds too much: a few megabytes of tiny objects would fill
 * the memory. `check` is called with the values and the characters that it holds, and throws if there is no room for them.
 * Throws `BadRequest`.
 */
export const readLargeBody = (
  bytes: Buffer,
  limits: BodyLimits,
  check: (values: number, characters: number) => void,
): string | OversizedReview => {
  const scan = scanBody(bytes, limits);
  const oversized = findOversized(bytes, scan, limits);
  if (oversized !== undefined) return oversized;
  check(scan.values, bytes.length);
  return decodeText(bytes);
};
