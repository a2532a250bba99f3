/** No memory is left for this body; the response is 503, on which the API server retries (client-go, `rest/with_retry.go`). */
export class Overloaded extends Error {
  readonly statusCode = 503;
}

export interface MemoryLimits {
  readonly reviewBytes: number;
  readonly reviewBytesAtOnce: number;
  readonly valuesPerReview: number;
}

/** The part of the heap that each kind of memory for reviews may take; the rest is for everything else. */
const HEAP_SHARE = 1 / 8;

/** Bytes that an object, a list, a member or an element takes in memory, beside its text. */
const BYTES_PER_VALUE = 64;
/** Bytes of a character: of text beyond Latin-1, or of its first copy while it is parsed. */
const BYTES_PER_CHARACTER = 2;

/** Returns the memory that a review takes, in bytes. */
export const reviewSize = (values: number, characters: number): number =>
  BYTES_PER_VALUE * values + BYTES_PER_CHARACTER * characters;

/** Returns the bytes that bodies may take while they are received: at least those of the longest. */
export const incomingMemory = (limits: MemoryLimits, heapBytes: number): number =>
  Math.max(ordinaryMemory(limits, heapBytes), limits.reviewBytes);

/** Returns the bytes that ordinary reviews may take while they are judged. */
export const ordinaryMemory = ({ reviewBytesAtOnce }: MemoryLimits, heapBytes: number): number =>
  Math.min(reviewBytesAtOnce, heapBytes * HEAP_SHARE);

/** Returns the bytes that large reviews may take while they are judged: at least those of the largest. */
export const largeMemory = (limits: MemoryLimits, heapBytes: number): number =>
  Math.max(ordinaryMemory(limits, heapBytes), reviewSize(limits.valuesPerReview, limits.reviewBytes));

/** Memory that reviews take while they are judged. */
export interface ReviewMemory {
  /** Throws `Overloaded` if so many bytes are not free. A review alone is always judged. */
  check(bytes: number): void;
  /** Takes bytes for a namespace. Throws `Overloaded`, or returns a function that gives them back. */
  hold(bytes: number, namespace: string): () => void;
  /** Bytes that are taken, and that may be. */
  state(): { readonly bytes: number; readonly limitBytes: number };
}

/**
 * Bounds the memory that reviews take while they are judged. A namespace takes at most half of what the others leave free,
 * so that whoever sends what takes much, while a registry hangs, is refused before others are.
 */
export const createReviewMemory = (room: number): ReviewMemory => {
  const takenBy = new Map<string, number>();
  let taken = 0;
  const add = (bytes: number, namespace: string): void => {
    const own = (takenBy.get(namespace) ?? 0) + bytes;
    taken += bytes;
    if (own === 0) takenBy.delete(namespace);
    else takenBy.set(namespace, own);
  };
  return {
    state: () => ({ bytes: taken, limitBytes: room }),
    check(bytes) {
      if (taken > 0 && taken + bytes > room) throw new Overloaded();
    },
    hold(bytes, namespace) {
      const own = takenBy.get(namespace) ?? 0;
      const free = room - (taken - own);
      if (taken > 0 && own + bytes > free / 2) throw new Overloaded();
      add(bytes, namespace);
      return () => add(-bytes, namespace);
    },
  };
};
