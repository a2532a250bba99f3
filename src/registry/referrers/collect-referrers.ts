import type { Digest } from '../../image/index.ts';
import type { Referrer, Referrers } from '../source.ts';

/** Bounds memory: whoever can push fills a list. No configuration tries more candidates. */
const MAX_REFERRERS = 1_000;

export type IsLikely = (artifactType: string | undefined) => boolean;

/** Collects referrers, each once, from the pages of a list. */
export interface ReferrerCollection {
  add(referrers: Iterable<Referrer>): void;
  /** `more`: true if the list goes on after what was added. */
  list(more: boolean): Referrers;
}

/** Keeps the first of those that are likely, and the first of the others: a flood of others drops none that is likely. */
export const collectReferrers = (isLikely: IsLikely = () => false): ReferrerCollection => {
  const [likely, others] = [new Map<Digest, Referrer>(), new Map<Digest, Referrer>()];
  let dropped = false;
  return {
    add(referrers) {
      for (const referrer of referrers) {
        const kept = isLikely(referrer.artifactType) ? likely : others;
        if (kept.has(referrer.digest)) continue;
        if (kept.size < MAX_REFERRERS) kept.set(referrer.digest, referrer);
        else dropped = true;
      }
    },
    list: (more) => ({ descriptors: [...likely.values(), ...others.values()], more: more || dropped }),
  };
};
