import { BadRequest } from './bad-request.ts';
import { findOversized } from './oversized-review.ts';
import { type BodyLimits, scanBody } from './scan-body.ts';

/** Bytes of the bodies that nearly all reviews have: whatever they hold is parsed in no time. */
export const SMALL_BODY_BYTES = 256 * 1024;

/** Counts to the end: a small body holds no more values than bytes. */
const COUNT_ALL: BodyLimits = {
  valuesPerReview: Number.POSITIVE_INFINITY,
  imageUsesPerReview: Number.POSITIVE_INFINITY,
};

/** Bytes that an object, a list, a member or an element takes in memory, beside its text. */
const BYTES_PER_VALUE = 64;

/** Returns the memory that the longest review takes, in bytes: its text, and what it is parsed into. */
export const longestReviewBytes = ({
  reviewBytes,
  valuesPerReview,
}: BodyLimits & { readonly reviewBytes: number }): number => reviewBytes + BYTES_PER_VALUE * valuesPerReview;

/** Parses the text of a body; an empty one is undefined. Throws `BadRequest`. */
export const parseJson = (text: string): unknown => {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadRequest(`the body is not valid JSON: ${error instanceof Error ? error.message : ''}`);
  }
};

/**
 * Parses a body; returns an `OversizedReview` if it holds too much. Its contents are counted before: a
 * few megabytes of tiny objects would fill the memory, in one body or in many. `reserve` is called with the bytes that its
 * objects will take, and throws if there is no room for them. Throws `BadRequest`.
 */
export const parseBody = (bytes: Buffer, limits: BodyLimits, reserve: (bytes: number) => void): unknown => {
  const isSmall = bytes.length <= SMALL_BODY_BYTES;
  const scan = scanBody(bytes, isSmall ? COUNT_ALL : limits);
  const oversized = isSmall ? undefined : findOversized(bytes, scan, limits);
  if (oversized !== undefined) return oversized;
  reserve(scan.values * BYTES_PER_VALUE);
  return parseJson(bytes.toString());
};
