import { BadRequest } from './bad-request.ts';
import { findOversized, type OversizedReview } from './oversized-review.ts';
import { type BodyLimits, scanBody } from './scan-body.ts';

/** Bytes of the bodies that nearly all reviews have: whatever they hold is parsed in no time. */
export const SMALL_BODY_BYTES = 256 * 1024;

/** Bytes that an object, a list, a member or an element takes in memory, beside its text. */
const BYTES_PER_VALUE = 64;

/** Returns the memory that the longest review takes, in bytes: its text, and what it is parsed into. */
export const longestReviewBytes = ({
  reviewBytes,
  valuesPerReview,
}: BodyLimits & { readonly reviewBytes: number }): number => reviewBytes + BYTES_PER_VALUE * valuesPerReview;

const parseJson = (text: string): unknown => {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadRequest(`the body is not valid JSON: ${error instanceof Error ? error.message : ''}`);
  }
};

/**
 * Parses a body. What a large one holds is counted before: a few megabytes of tiny objects would fill the memory. `reserve`
 * is called with the bytes that its objects will take, and throws if there is no room for them. Throws `BadRequest`.
 */
export const parseBody = (
  bytes: Buffer,
  limits: BodyLimits,
  reserve: (bytes: number) => void,
): OversizedReview | unknown => {
  if (bytes.length <= SMALL_BODY_BYTES) return parseJson(bytes.toString());
  const scan = scanBody(bytes, limits);
  const oversized = findOversized(bytes, scan, limits);
  if (oversized !== undefined) return oversized;
  reserve(scan.values * BYTES_PER_VALUE);
  return parseJson(bytes.toString());
};
