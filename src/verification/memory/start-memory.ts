import { LRUCache } from 'lru-cache';
import type { Digest } from '../../image/index.ts';
import type { ImageStart } from '../configuration/image-start.ts';

/** Caches what images start. A digest covers it, so it never expires. */
export interface StartMemory {
  find(digest: Digest): ImageStart | undefined;
  add(digest: Digest, start: ImageStart): void;
  size(): number;
}

/** Bounds memory to 2 MiB. Only digests that a key of the key ring signed are added. */
const MAX_STARTS = 4_096;

export const createStartMemory = (): StartMemory => {
  const cache = new LRUCache<Digest, ImageStart>({ max: MAX_STARTS });
  return {
    find: (digest) => cache.get(digest),
    add: (digest, start) => void cache.set(digest, start),
    size: () => cache.size,
  };
};
