import { longestReviewBytes } from './parse-body.ts';
import type { BodyLimits } from './scan-body.ts';

export interface ReaderLimits extends BodyLimits {
  readonly reviewBytes: number;
  readonly reviewBytesAtOnce: number;
}

/** No memory is left for this body; the response is 503, on which the API server retries (client-go, `rest/with_retry.go`). */
export class Overloaded extends Error {
  readonly statusCode = 503;
}

/** The part of the heap that reviews may take: as much again goes into parsing one, and the rest is for everything else. */
const HEAP_SHARE = 1 / 8;

/**
 * Returns the bytes that reviews may take at once: what is configured, but no more than a part of the heap that the process
 * has, and never less than the longest review takes, which could not be read otherwise.
 */
export const reviewMemory = (limits: ReaderLimits, heapBytes: number): number =>
  Math.max(Math.min(limits.reviewBytesAtOnce, heapBytes * HEAP_SHARE), longestReviewBytes(limits));

/** The memory that one body takes. */
export interface BodyMemory {
  /** Takes bytes; gives up incomplete bodies, perhaps this one, if there is no room for all. */
  take(bytes: number): void;
  /** Takes bytes for what a complete body is parsed into. Throws `Overloaded` if there is no room for them. */
  reserve(bytes: number): void;
  /** No more of the body is to come: it is not given up any more. */
  complete(): void;
  release(): void;
}

/** Opens the memory of a body; `drop` gives the body up, and must release it. */
export type OpenBodyMemory = (drop: () => void) => BodyMemory;

/**
 * Bounds the memory that all bodies take, by what was received and not by what was announced. Past it the body that has been
 * incomplete for the longest is given up: whoever sends slowly holds no room that others need.
 */
export const createReviewMemory = (room: number): OpenBodyMemory => {
  const incomplete = new Set<() => void>();
  let taken = 0;
  const makeRoom = (): void => {
    for (const drop of incomplete) {
      if (taken <= room) return;
      drop();
    }
  };
  return (drop) => {
    let own = 0;
    const add = (bytes: number): void => {
      own += bytes;
      taken += bytes;
      if (taken > room) makeRoom();
    };
    incomplete.add(drop);
    return {
      take: add,
      reserve(bytes) {
        add(bytes);
        if (taken > room) throw new Overloaded();
      },
      complete: () => void incomplete.delete(drop),
      release() {
        incomplete.delete(drop);
        taken -= own;
        own = 0;
      },
    };
  };
};

/** Takes bytes. Throws `Overloaded` if there is no room for them; returns a function that gives them back. */
export type HoldBytes = (bytes: number) => () => void;

/**
 * Bounds the memory that small bodies take while they are judged. One takes at most half of what is free, so that whoever
 * sends bodies full of tiny values is refused before those who send ordinary ones.
 */
export const createSmallBodyMemory = (room: number): HoldBytes => {
  let taken = 0;
  return (bytes) => {
    // One alone is always judged, whatever the room.
    if (taken > 0 && bytes > (room - taken) / 2) throw new Overloaded();
    taken += bytes;
    return () => {
      taken -= bytes;
    };
  };
};
