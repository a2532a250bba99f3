import { SECOND_MS } from '../base/index.ts';
import { type Limit, MIB } from './limit.ts';

/** The limits on a review: its length, contents and time. */
export const reviewLimits = [
  {
    name: 'reviewBytes',
    default: 24 * MIB,
    unit: 'bytes',
    min: MIB,
    max: 128 * MIB,
    effect: 'a longer AdmissionReview gets HTTP 413, which a webhook with failurePolicy Ignore admits',
  },
  {
    name: 'reviewBytesAtOnce',
    default: 128 * MIB,
    unit: 'bytes',
    // At least the longest review that may be configured: otherwise that one could never be read.
    min: 128 * MIB,
    max: 4096 * MIB,
    effect:
      'while AdmissionReviews are received, the one that has been incomplete for the longest gets HTTP 503 with `Retry-After`, and the API server retries; while they wait for a registry, so does a further one of a namespace that takes more than half of what others leave free, where those that take more than 512 KiB in memory have as much again; an eighth of the heap if that is less, but room for one longest review',
  },
  {
    name: 'imageUsesPerReview',
    default: 10_000,
    unit: 'count',
    min: 1000,
    max: 100_000,
    effect:
      'an AdmissionReview of more than 256 KiB with more members that may name an image is `too-many-images`, without being parsed',
  },
  {
    name: 'valuesPerReview',
    default: 500_000,
    unit: 'count',
    min: 100_000,
    max: 10_000_000,
    effect:
      'an AdmissionReview of more than 256 KiB with more objects, lists, members and elements is `too-many-images`, without being parsed',
  },
  {
    name: 'reviewMargin',
    default: SECOND_MS,
    unit: 'milliseconds',
    min: 10,
    max: 10 * SECOND_MS,
    effect:
      "the response to a review is sent this long before the API server's timeout, or at half of it if that is later",
  },
  {
    name: 'reviewDeadline',
    default: 10 * SECOND_MS,
    unit: 'milliseconds',
    min: 100,
    max: 30 * SECOND_MS,
    effect:
      'the response to a review without a timeout is sent by then; images not verified yet are `deadline-exceeded`',
  },
  {
    name: 'imagesPerReview',
    default: 64,
    unit: 'count',
    min: 1,
    max: 1000,
    effect: 'further distinct Istio images are refused as `too-many-images` without being verified',
  },
  {
    name: 'verificationsAtOnce',
    default: 8,
    unit: 'count',
    min: 1,
    max: 256,
    effect: 'further images of the same review wait for one in progress',
  },
] as const satisfies readonly Limit[];
