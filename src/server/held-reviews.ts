import { memberOf } from '../base/index.ts';
import {
  createReviewMemory,
  largeMemory,
  type MemoryLimits,
  ordinaryMemory,
  type ReviewMemory,
  reviewSize,
} from './review-memory.ts';

/** Bytes in memory of the reviews that are ordinary: those of pods. */
const ORDINARY_BYTES = 512 * 1024;

/** Counts what parsed JSON takes in memory, in bytes. */
const sizeOf = (body: unknown): number => {
  const open: unknown[] = [body];
  let values = 0;
  let characters = 0;
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    values += 1;
    if (typeof value === 'string') characters += value.length;
    else if (Array.isArray(value)) for (const element of value) open.push(element);
    else if (typeof value === 'object' && value !== null)
      for (const [name, member] of Object.entries(value)) {
        characters += name.length;
        open.push(member);
      }
  }
  return reviewSize(values, characters);
};

const namespaceOf = (body: unknown): string => {
  const namespace = memberOf(memberOf(body, 'request'), 'namespace');
  return typeof namespace === 'string' ? namespace : '';
};

/** The reviews that are judged with something awaited, and so held in memory. */
export interface HeldReviews {
  /** Throws `Overloaded` if there is no room for so many values and characters. */
  check(values: number, characters: number): void;
  /** Holds a review until the function that is returned is called. Throws `Overloaded`. */
  hold(body: unknown): () => void;
  state(): Readonly<Record<'ordinary' | 'large', ReturnType<ReviewMemory['state']>>>;
}

/** Bounds the memory of held reviews; large ones have room of their own, so that they keep out no ordinary one. */
export const createHeldReviews = (limits: MemoryLimits, heapBytes: number): HeldReviews => {
  const ordinary = createReviewMemory(ordinaryMemory(limits, heapBytes));
  const large = createReviewMemory(largeMemory(limits, heapBytes));
  return {
    state: () => ({ ordinary: ordinary.state(), large: large.state() }),
    check: (values, characters) => large.check(reviewSize(values, characters)),
    hold(body) {
      const bytes = sizeOf(body);
      return (bytes <= ORDINARY_BYTES ? ordinary : large).hold(bytes, namespaceOf(body));
    },
  };
};
